"""Which tables several workers may walk at once: those of which the end state is the same in whatever order."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import Connection, column, func, select

import backfill
from backfill import Change, Delete, Insert, Rows, Update
from backfill.command.pages import plan_page
from backfill.database import Database
from backfill.planner import draft_plan
from backfill.rows.opening import open_sources
from backfill.running.runner import run
from backfill.settings import Settings
from backfill.status import Status
from tests.faults.workloads import ACCEPTED
from tests.forms.library import ROWS, Book, Key, Note, book, loan, values
from tests.kept import refill

other_books = sa.table("books", column("id"), column("note")).alias("other_books")
spent = select(func.sum(loan.c.cents)).where(loan.c.book_id == book.c.id).scalar_subquery()


class Noted(BaseModel):
    """Columns read, one of them looked up."""

    id: int
    found: str | None


class Last(BaseModel):
    """A state."""

    number: int = 0


def note(book: Book) -> Note:
    """A row's own values."""
    return Note(note=book.title)


def notes(books: list[Book]) -> list[Note]:
    """Of a list of rows."""
    return [Note(note=book.title) for book in books]


def sum_loans(books: Rows) -> dict[str, Any]:
    """Rows of a table that is not written are looked up."""
    return {"copies": func.coalesce(spent, 0)}


def drop_book(book: Key) -> Delete:
    """Rows of its own."""
    return Delete()


def drop_loans(books: Rows) -> Delete:
    """Rows of another table, which are gone in whatever order."""
    return Delete("loans", book_id=books.c.id)


def mark_books(books: Rows) -> Insert:
    """A row for each."""
    return Insert("marks", {"name": books.c.title})


def name_genres(books: Rows) -> Insert:
    """One row for many, held unique, of which nothing else is said."""
    return Insert("genres", {"name": func.coalesce(books.c.writer, "?")}, match="name")


def label_genres(books: Rows) -> Insert:
    """One row for many, of which the first says the label."""
    return Insert("genres", {"name": func.coalesce(books.c.writer, "?"), "label": books.c.title}, match="name")


def refresh_genres(books: Rows) -> Insert:
    """One row for many, of which the last says the label."""
    return Insert(
        "genres",
        {"name": func.coalesce(books.c.writer, "?"), "label": books.c.title},
        match="name",
        update="label",
    )


def name_authors(books: Rows) -> Insert:
    """One row for many, which nothing holds unique."""
    return Insert("authors", {"name": func.coalesce(books.c.writer, "?")}, match="name")


def label_authors(books: Rows) -> Update:
    """Rows of another table."""
    return Update("authors", {"label": books.c.title}, name=books.c.writer)


def add_books(books: Rows) -> Insert:
    """Rows of the table that is walked."""
    return Insert("books", {"id": books.c.id + 100, "title": books.c.title, "year": books.c.year})


def copy_note(books: Rows) -> dict[str, Any]:
    """Values of other rows of the table that is written."""
    return {"note": select(other_books.c.note).where(other_books.c.id == books.c.id - 1).scalar_subquery()}


def note_found(book: Noted) -> Note:
    """A look-up of what is written."""
    return Note(note=book.found)


def note_by_connection(book: Key, connection: Connection) -> Note:
    """It looks up what it likes."""
    return Note(note=str(connection))


def number(book: Key, state: Last) -> Note:
    """A running number."""
    return Note(note=str(state.number))


def any_change(book: Key) -> list[Change]:
    """What is only known when it is called."""
    return [Delete()]


HAS_NEXT = select(other_books.c.id).where(other_books.c.id == book.c.id + 1).exists()
NEXT_NOTE = {"found": select(other_books.c.note).where(other_books.c.id == book.c.id + 1)}
DIVISIBLE: list[tuple[Any, dict[str, Any]]] = [
    (note, {}),
    (note, {"where": column("note").is_(None)}),
    (notes, {}),
    (notes, {"group_by": "shelf"}),
    (sum_loans, {}),
    (drop_book, {}),
    (drop_loans, {}),
    (mark_books, {}),
    (name_genres, {}),
]
INDIVISIBLE: list[tuple[Any, dict[str, Any], str]] = [
    (number, {}, "it carries a state from batch to batch"),
    (notes, {"group_by": ()}, "all rows are one group"),
    (note, {"order_by": "year"}, "its rows are taken in an order"),
    (any_change, {}, "which changes it returns is known to its run alone"),
    (note_by_connection, {}, "it looks rows up by itself"),
    (copy_note, {}, "it looks at rows of books, which it writes"),
    (note_found, {"lookups": NEXT_NOTE}, "it looks at rows of books, which it writes"),
    (note, {"where": HAS_NEXT}, "it looks at rows of books, which it writes"),
    (add_books, {}, "it changes other rows of books than those it walks"),
    (label_authors, {}, "of two updates of one row of authors the last counts"),
    (refresh_genres, {}, "of two updates of one row of genres the last counts"),
    (label_genres, {}, "of two rows for one of genres the first counts"),
    (name_authors, {}, "nothing holds name of authors unique"),
]  # fmt: skip


ONE_WRITER = (False, "SQLite has one writer at a time")


def divisibility(engine: sa.Engine, function: Any, options: dict[str, Any]) -> tuple[bool, str]:
    """What is derived for a function that walks the books."""
    with Database.of(engine) as database:
        (source,) = open_sources(database, backfill.transform("books", **options)(function))
        found = source.divisibility
    return found.is_divisible, found.reason


def derived(engine: sa.Engine, is_divisible: bool, reason: str) -> tuple[bool, str]:
    """What should be found, on a database that several may write or on one that has one writer."""
    return ONE_WRITER if engine.dialect.name == "sqlite" else (is_divisible, reason)


@pytest.mark.parametrize(("function", "options"), DIVISIBLE, ids=lambda value: getattr(value, "__name__", ""))
def test_rows_that_depend_on_no_others(library: sa.Engine, function: Any, options: dict[str, Any]) -> None:
    """Several workers may walk them."""
    assert divisibility(library, function, options) == derived(library, True, "no row's values depend on another's")


@pytest.mark.parametrize(
    ("function", "options", "reason"), INDIVISIBLE, ids=lambda value: getattr(value, "__name__", "")
)
def test_rows_that_are_walked_by_one(library: sa.Engine, function: Any, options: dict[str, Any], reason: str) -> None:
    """And the reason why."""
    assert divisibility(library, function, options) == derived(library, False, reason)


@pytest.mark.parametrize(("function", "options"), DIVISIBLE, ids=lambda value: getattr(value, "__name__", ""))
def test_several_workers_come_to_the_same_end(
    library: sa.Engine, function: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are those that one worker leaves; only the numbers that the database gives may be others."""
    monkeypatch.setattr("backfill.running.pieces.FEWEST_BATCHES", 1)
    transform = backfill.transform("books", **options)(function)
    ends = []
    for workers in (1, 3):
        refill(library, ROWS)
        chosen = Settings(batch_size=1, max_batch_size=1, workers=workers)
        with Database.of(library) as database:
            assert run(database, transform, chosen, accept=ACCEPTED).status == Status.COMPLETED
        ends.append([sorted(values(library, table, *_given(table)), key=repr) for table in ROWS])
    assert ends[0] == ends[1]


def test_a_rivals_row_is_no_fault_of_a_row(library: sa.Engine) -> None:
    """Its match is inserted by somebody else, who commits while this INSERT waits: the batch is taken again."""
    if library.dialect.name == "sqlite":
        pytest.skip("a batch holds the only write lock")
    options: dict[str, Any] = {}
    transform = backfill.transform("books", **options)(name_genres)
    rival = library.connect()
    commit = threading.Timer(0.3, rival.commit)
    with Database.of(library) as database:

        @sa.event.listens_for(database.connection, "before_cursor_execute")
        def meet(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            """Just before the first genre is inserted."""
            if "INTO genres" in statement and commit.ident is None:
                rival.execute(sa.text("INSERT INTO genres (id, name) VALUES (-7, 'Austen')"))
                commit.start()

        chosen = Settings(batch_size=1, max_batch_size=1, max_rejections="0")
        ended = run(database, transform, chosen, accept=ACCEPTED)
    commit.join()
    rival.close()
    assert ended.status == Status.COMPLETED


def _given(table: sa.Table) -> list[str]:
    """The columns that the database does not number."""
    return [column.name for column in table.columns if column is not table.autoincrement_column]


def test_seeds_and_steps_are_done_at_once(library: sa.Engine) -> None:
    """There is nothing to divide, or nobody knows what a step does."""

    @backfill.seed()
    def genres() -> list[Insert]:
        """Rows from nowhere."""
        return [Insert("genres", {"name": "Epic"}, match="name")]

    @backfill.step("books")
    def touch(books: Rows, connection: Connection) -> int:
        """A batch at a time."""
        return 0

    with Database.of(library) as database:
        (seed,), (step,) = open_sources(database, genres), open_sources(database, touch)
        found = step.divisibility.is_divisible, step.divisibility.reason
    assert not seed.divisibility.is_divisible
    assert found == derived(library, False, "what a step does is known to its run alone")


def test_plan_says_how_many_workers(library: sa.Engine) -> None:
    """With the reason."""
    pages = []
    cases: list[Any] = [note, number]
    for function in cases:
        with Database.of(library) as database:
            pages.append(plan_page(draft_plan(database, backfill.transform("books")(function), Settings())))
    if library.dialect.name == "sqlite":
        assert all("  workers     one: SQLite has one writer at a time\n" in page for page in pages)
        return
    assert "  workers     as many as you like: no row's values depend on another's\n" in pages[0]
    assert "  workers     one: it carries a state from batch to batch\n" in pages[1]
