"""Inserts: rows of another table, or of the walked one, made from each row; `match` says which are there already."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import column, func, select

import backfill
from backfill import Insert, Rows
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import BackfillError
from backfill.planner import draft_plan
from backfill.running.runner import run
from backfill.running.undoer import undo
from backfill.settings import Settings
from tests.forms.library import THERE, Author, Book, Key, Mark, authors, book, books, genres, loan, marks, values
from tests.refusal import contents, execute, fill, find

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])


@EACH_SIZE
def test_a_row_from_each_row(library: sa.Engine, rows: int) -> None:
    """Inserted once, whatever the batch size; None inserts nothing."""

    @backfill.transform("books")
    def name_authors(book: Book) -> Insert[Author] | None:
        """Without match: one for each book that has a writer."""
        return Insert("authors", Author(name=book.writer)) if book.writer else None

    run = fill(library, name_authors, rows=rows)
    assert sorted(values(library, authors, "name")) == ["Austen", "Austen", "Eliot", "Eliot", "Joyce"]
    assert (run.rows_read, run.rows_written) == (5, 4)


@EACH_SIZE
@pytest.mark.parametrize("table", [authors, genres], ids=["without a unique constraint", "with one"])
def test_match_keeps_the_row_that_is_there(library: sa.Engine, table: sa.Table, rows: int) -> None:
    """And of two with an equal match, in one batch or in two, the first is inserted."""

    @backfill.transform("books", where=column("writer").is_not(None))
    def name_authors(book: Book) -> Insert[Author]:
        """One for each writer."""
        return Insert(table.name, Author(name=book.writer or "", label=book.title), match="name")

    fill(library, name_authors, rows=rows)
    assert sorted(values(library, table, "name", "label")) == [
        ("Austen", "Emma"),
        ("Eliot", "old"),
        ("Joyce", "Ulysses"),
    ]


def labelling(table: sa.Table, writer: str) -> Transform[..., Any]:
    """Into a table, a writer under the title of the book."""

    @backfill.transform("books", where=column("writer") == writer)
    def name_authors(book: Book) -> Insert[Author]:
        """The label is the title."""
        return Insert(table.name, Author(name=book.writer or "", label=book.title), match="name", update="label")

    return name_authors


@EACH_SIZE
@pytest.mark.parametrize("table", [authors, genres], ids=["without a unique constraint", "with one"])
def test_update_refreshes_the_row_that_is_there(library: sa.Engine, table: sa.Table, rows: int) -> None:
    """The columns named, and no others."""
    fill(library, labelling(table, "Eliot"), rows=rows)
    assert values(library, table, "id", "name", "label") == [(THERE, "Eliot", "Middlemarch")]


@EACH_SIZE
@pytest.mark.parametrize("table", [authors, genres], ids=["without a unique constraint", "with one"])
def test_of_two_for_one_new_row_the_last_refreshes_it(library: sa.Engine, table: sa.Table, rows: int) -> None:
    """In one batch as in two, and an undo takes both back."""
    before = values(library, table, "id", "name", "label")
    with Database.of(library) as database:
        run(database, labelling(table, "Austen"), Settings(batch_size=rows, max_batch_size=rows, keep_undo=True))
        assert ("Austen", "Persuasion") in values(library, table, "name", "label")
        undo(database, "name_authors", Settings())
    assert values(library, table, "id", "name", "label") == before


def test_match_takes_null_for_equal_to_null(library: sa.Engine) -> None:
    """A row without a name is there, so none is inserted; of those with one, each once."""

    @backfill.transform("books")
    def mark(book: Book) -> Insert[Mark]:
        """By the writer, who may be unknown."""
        return Insert("marks", Mark(name=book.writer), match="name")

    fill(library, mark)
    assert sorted(values(library, marks, "name"), key=str) == ["Austen", "Eliot", "Joyce", None]


def test_match_takes_null_for_equal_to_null_from_columns(library: sa.Engine) -> None:
    """The same, where rows stay in the database."""

    @backfill.transform("books")
    def mark(books: Rows) -> Insert:
        """By the writer, who may be unknown."""
        return Insert("marks", {"name": books.c.writer}, match="name")

    fill(library, mark)
    assert sorted(values(library, marks, "name"), key=str) == ["Austen", "Eliot", "Joyce", None]


@EACH_SIZE
def test_columns_of_a_select_are_inserted(library: sa.Engine, rows: int) -> None:
    """Tied to the batch, and by label rather than by place; no row is met twice."""

    @backfill.transform("books")
    def name_authors(books: Rows) -> Insert:
        """The label is a literal."""
        lent = select(sa.literal("lent").label("label"), books.c.title.label("name"))
        return Insert("authors", lent.where(loan.c.book_id == books.c.id))

    fill(library, name_authors, rows=rows)
    assert sorted(values(library, authors, "name", "label")) == [
        ("Eliot", "old"),
        ("Emma", "lent"),
        ("Emma", "lent"),
        ("Middlemarch", "lent"),
    ]


@EACH_SIZE
def test_a_distinct_select_with_match(library: sa.Engine, rows: int) -> None:
    """Distinct within a batch, and matched between batches."""

    @backfill.transform("books", where=column("writer").is_not(None))
    def name_authors(books: Rows) -> Insert:
        """Each writer once."""
        return Insert("genres", select(books.c.writer.label("name")).distinct(), match="name")

    fill(library, name_authors, rows=rows)
    assert sorted(values(library, genres, "name")) == ["Austen", "Eliot", "Joyce"]


def test_upsert_from_columns(library: sa.Engine) -> None:
    """Mapping of expressions: the row that is there is refreshed, the others are inserted."""

    @backfill.transform("books", where=column("writer").in_(["Eliot", "Joyce"]))
    def name_authors(books: Rows) -> Insert:
        """The label is the title in capitals."""
        return Insert(
            "genres", {"name": books.c.writer, "label": func.upper(books.c.title)}, match="name", update="label"
        )

    fill(library, name_authors)
    assert sorted(values(library, genres, "name", "label")) == [("Eliot", "MIDDLEMARCH"), ("Joyce", "ULYSSES")]


SHELVED: dict[str, Callable[[Rows], Any]] = {
    "a mapping": lambda books: {"name": books.c.shelf, "label": books.c.title},
    "a select": lambda books: select(books.c.shelf.label("name"), books.c.title.label("label")),
    "a join": lambda books: select(books.c.shelf.label("name"), books.c.title.label("label")).join(
        authors, authors.c.name == books.c.writer, isouter=True
    ),
}


@EACH_SIZE
@pytest.mark.parametrize("source", SHELVED.values(), ids=SHELVED)
def test_of_two_rows_for_one_the_last_refreshes(library: sa.Engine, rows: int, source: Callable[[Rows], Any]) -> None:
    """As if each had come in a batch of its own, whatever the size of a batch."""

    @backfill.transform("books", where=column("shelf").is_not(None))
    def shelves(books: Rows) -> Insert:
        """Named after the book at their end."""
        return Insert("genres", source(books), match="name", update="label")

    fill(library, shelves, rows=rows)
    ends = {shelf: title for shelf, title in values(library, books, "shelf", "title") if shelf}
    assert {name: label for name, label in values(library, genres, "name", "label") if name in ends} == ends


@EACH_SIZE
@pytest.mark.parametrize("source", SHELVED.values(), ids=SHELVED)
def test_of_two_rows_for_one_the_first_is_inserted(
    library: sa.Engine, rows: int, source: Callable[[Rows], Any]
) -> None:
    """The second finds it there."""

    @backfill.transform("books", where=column("shelf").is_not(None))
    def shelves(books: Rows) -> Insert:
        """Named after the book at their beginning."""
        return Insert("genres", source(books), match="name")

    fill(library, shelves, rows=rows)
    beginnings: dict[str, str] = {}
    for shelf, title in values(library, books, "shelf", "title"):
        if shelf:
            beginnings.setdefault(shelf, title)
    inserted = {name: label for name, label in values(library, genres, "name", "label") if name in beginnings}
    assert inserted == beginnings


@EACH_SIZE
def test_what_is_not_refreshed_stays_as_it_was_inserted(library: sa.Engine, rows: int) -> None:
    """The id is of the first book, the number of the last one; and NULL is a shelf like any other."""

    @backfill.transform("books")
    def shelves(books: Rows) -> Insert:
        """A mark for each."""
        values = {"id": books.c.id, "name": books.c.shelf, "author_id": books.c.year}
        return Insert("marks", values, match="name", update="author_id")

    fill(library, shelves, rows=rows)
    found = values(library, marks, "id", "name", "author_id")
    assert found == [(1, "b", 1871), (2, "a", 1817), (THERE, None, 1000)]


def test_source_and_target_may_be_one_table(library: sa.Engine) -> None:
    """If `where` leaves the new rows out: here they have no writer."""

    @backfill.transform("books", where=column("writer").is_not(None))
    def second_volumes(books: Rows) -> Insert:
        """Beyond the last row there is."""
        return Insert("books", {"id": books.c.id + 10, "title": books.c.title, "year": books.c.year}, match="id")

    run = fill(library, second_volumes)
    assert run.status == "completed"
    assert values(library, books, "id")[5:] == [11, 12, 13, 14]


def test_a_new_row_that_would_be_met_again(library: sa.Engine) -> None:
    """Inserted between checkpoint and end it would be walked, and its own child after it: refused, nothing is kept."""
    calls: list[int] = []

    @backfill.transform("marks")
    def next_volumes(mark: Key) -> Insert:
        """The next id, for ever as far as the walk knows."""
        calls.append(mark.id)
        assert len(calls) < 50, "the walk has no end"
        return Insert("marks", {"id": mark.id + 1, "name": "next"})

    with library.begin() as connection:
        connection.execute(marks.insert().values(id=1, name="first"))
    before = contents(library)["marks"]
    with pytest.raises(BackfillError, match="where"):
        fill(library, next_volumes, rows=1)
    assert contents(library)["marks"] == before


def test_rows_inserted_beyond_the_end_are_not_walked(library: sa.Engine) -> None:
    """The end of each table is fixed when the run starts, tables go in the order written; later rows are not ours."""

    @backfill.transform("loans", "books")
    def walk(rows: Rows) -> dict[str, Any] | list[Insert]:
        """Each loan makes a book while books still wait."""
        if rows.name == "loans":
            return [Insert("books", {"id": rows.c.id + 100, "title": "late", "year": 2000})]
        return {"note": "walked"}

    fill(library, walk)
    assert values(library, books, "id", "note")[4:] == [(5, "walked"), (101, None), (102, None), (103, None)]


def test_without_match_only_the_checkpoint_keeps_it_from_twice(library: sa.Engine) -> None:
    """A completed run is not run again; a lost ledger is not noticed, so plan says which kind it is."""

    @backfill.transform("books")
    def name_authors(books: Rows) -> Insert:
        """As often as it runs."""
        return Insert("authors", {"name": books.c.title})

    with Database.of(library) as database:
        repeatability = draft_plan(database, name_authors, Settings()).repeatability
    assert (repeatability.by_nature, repeatability.reason) == (False, "it inserts into authors without match=")
    for _ in range(2):
        fill(library, name_authors)
    assert len(values(library, authors, "id")) == 6


@pytest.mark.parametrize(("table", "warnings"), [("authors", 1), ("genres", 0)])
def test_plan_warns_of_a_match_that_nothing_holds_unique(library: sa.Engine, table: str, warnings: int) -> None:
    """Other writers may still insert the same row; with a unique constraint they cannot."""

    @backfill.transform("books", where=column("writer").is_not(None))
    def name_authors(books: Rows) -> Insert:
        """By name."""
        return Insert(table, {"name": books.c.writer}, match="name")

    with Database.of(library) as database:
        assert len(draft_plan(database, name_authors, Settings()).findings) == warnings


@pytest.mark.parametrize(
    ("source", "warnings"),
    [
        (lambda books: select(books.c.writer.label("name"), books.c.title.label("label")), 0),
        (lambda books: select(books.c.writer.label("name"), books.c.title.label("label")).distinct(), 1),
        (lambda books: select(_titled(books)), 1),
        (lambda books: select(books.c.writer.label("name")).distinct(), 0),
    ],
    ids=["in the order of the walk", "distinct", "from a subquery", "distinct, and nothing but the match"],
)
def test_plan_warns_of_an_upsert_without_order(
    library: sa.Engine, source: Callable[[Rows], sa.Select[Any]], warnings: int
) -> None:
    """Where it cannot be told which of two rows for one comes first."""

    @backfill.transform("books", where=column("writer").is_not(None))
    def name_authors(books: Rows) -> Insert:
        """By name."""
        return Insert("genres", source(books), match="name")

    with Database.of(library) as database:
        findings = draft_plan(database, name_authors, Settings()).findings
    assert [finding.code for finding in findings] == ["upsert-unordered"] * warnings


def _titled(books: Rows) -> sa.Subquery:
    return select(books.c.writer.label("name"), books.c.title.label("label")).subquery("titled")


def test_a_unique_column_that_may_be_null(library: sa.Engine) -> None:
    """None from Python is matched as NULL apart, so the constraint holds the others; from SQL a NULL may come too."""
    execute(library, "CREATE TABLE places (id INTEGER PRIMARY KEY, name VARCHAR(50) UNIQUE)")

    @backfill.transform("books", where=column("writer").is_not(None))
    def by_python(book: Book) -> Insert:
        """Never None."""
        return Insert("places", {"id": book.id, "name": book.writer}, match="name")

    @backfill.transform("books")
    def by_sql(books: Rows) -> Insert:
        """NULL for some."""
        return Insert("places", {"id": books.c.id, "name": books.c.writer}, match="name")

    try:
        with Database.of(library) as database:
            assert draft_plan(database, by_python, Settings()).findings == []
            (warning,) = draft_plan(database, by_sql, Settings()).findings
        assert "name of places may be NULL, which a unique constraint lets in many times" in warning.message
        fill(library, by_python, rows=1)
        with library.connect() as connection:
            assert connection.scalar(sa.text("SELECT count(*) FROM places")) == 3
    finally:
        execute(library, "DROP TABLE places")


@pytest.mark.parametrize("match", ["name", "nmae"])
def test_columns_of_an_insert_are_checked_before_the_first_row(library: sa.Engine, match: str) -> None:
    """From columns everything is known beforehand: a column that is not there is refused."""

    @backfill.transform("books")
    def name_authors(books: Rows) -> Insert:
        """A typing mistake."""
        return Insert("authors", {"name": books.c.title, "nmae": books.c.title}, match=match)

    found = find(library, name_authors, "writes-unknown")
    assert found.message == 'Insert("authors"): authors has no column nmae. Did you mean name?'


def test_a_select_that_is_not_tied_to_the_rows(library: sa.Engine) -> None:
    """Every row would insert all of its rows: refused."""

    @backfill.transform("loans")
    def name_authors(loans: Rows) -> Insert:
        """Nothing of a loan in it."""
        return Insert("authors", select(book.c.writer.label("name")))

    assert find(library, name_authors, "select-loose").message == (
        "a select does not speak of loans, so every row would get all of its rows: compare a column with "
        'table("loans", column("...")).c[...] in its where()'
    )
