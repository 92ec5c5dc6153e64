"""The commonest mistakes, and the whole sentence that each is answered with."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import Connection, column, text

import backfill
from backfill import BackfillError, Change, Insert, Rejected
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import ChecksFailed, DeclarationError, DefinitionChanged, RowRejected
from backfill.ledger import Ledger
from tests.forms.library import ROWS, Author, Book, Copies, Key, Note, books, values
from tests.refusal import fill, refuse


class Stamp(BaseModel):
    """Inserted into a table with a key of two columns."""

    book_id: int
    number: int


class Stamped(BaseModel):
    """Written."""

    author_id: Insert[Stamp]


class Typing(BaseModel):
    """A column whose name is written wrongly."""

    titel: str


class Needing(BaseModel):
    """A column that may be NULL, by a type that takes none."""

    writer: str


class Shelf(BaseModel):
    """Written."""

    shelf: str


class Payment(BaseModel):
    """Inserted into books, but for what that needs."""

    id: int
    title: str


def no_type() -> None:
    """The parameter has none."""

    @backfill.transform("books")
    def split_full_name(user) -> Note | None:  # type: ignore[no-untyped-def]
        return None


def group_for_a_row() -> None:
    """A group does not fit into one row."""

    @backfill.transform("books", group_by="writer")
    def dedupe(book: Book) -> Note | None:
        return None


def one_model_for_a_list() -> None:
    """It does not say for which of the rows."""

    @backfill.transform("books")  # type: ignore[type-var]
    def dedupe(books: list[Book]) -> Note:
        return Note(note="")


def a_typing_error_in_an_option() -> None:
    """A word that says nothing."""

    @backfill.transform("books", wheer=column("id") == 1)  # type: ignore[call-arg]
    def dedupe(book: Book) -> Note:
        return Note(note="")


DECLARED: dict[Callable[[], None], str] = {
    no_type: (
        "split_full_name: 'user' needs a type; it says how rows reach you:\n"
        "    user: FullName           one row at a time; FullName is a pydantic model of the columns read\n"
        "    users: list[FullName]    a batch of rows; with group_by= one whole group\n"
        "    users: Rows              as SQL columns: the rows stay in the database (from backfill import Rows)"
    ),
    group_for_a_row: "dedupe: group_by hands over whole groups: 'rows: list[Book]'",
    one_model_for_a_list: "dedupe returns Note for a list of rows: say list[Note], one entry per row",
}


@pytest.mark.parametrize(("declare", "told"), DECLARED.items(), ids=[declare.__name__ for declare in DECLARED])
def test_a_mistake_in_the_declaration(declare: Callable[[], None], told: str) -> None:
    """Told when it is declared, by the function's name."""
    with pytest.raises(DeclarationError) as refusal:
        declare()
    assert str(refusal.value) == told


def test_a_misspelt_option() -> None:
    """Python itself says so."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'wheer'"):
        a_typing_error_in_an_option()


@backfill.transform("books")
def shorten_title(book: Typing) -> Note:
    """Read by a wrong name."""
    return Note(note=book.titel)


@backfill.transform("books")
def note_writer(book: Needing) -> Note:
    """NULL into str."""
    return Note(note=book.writer)


@backfill.transform("books", group_by="shelf")
def unique_shelves(books: list[Book]) -> list[Shelf]:
    """Its own group, written."""
    return [Shelf(shelf="x") for _ in books]


@backfill.seed()
def payments() -> list[Change]:
    """NOT NULL columns are missing."""
    return [Insert("books", Payment(id=9, title="x"))]


@backfill.transform("books")
def follow(book: Book) -> Insert[Payment]:
    """The same, where only the function's answer tells."""
    return Insert("books", Payment(id=9, title="x"))


@backfill.transform("books")
def stamp(book: Book) -> Stamped:
    """An Insert stands for a key of two columns."""
    return Stamped(author_id=Insert("stamps", Stamp(book_id=book.id, number=1)))


@backfill.seed()
def stamp_a_book() -> list[Change]:
    """The same, in a seed."""
    return [Insert("marks", {"author_id": Insert("stamps", Stamp(book_id=1, number=1))})]


MISSING = 'Insert("books"): books.year is NOT NULL without default and Payment has no such field'
COMPOSITE = "stamps has a key of 2 columns; an Insert can stand only for a key of one"
FOUND: dict[str, tuple[Transform[..., Any], str]] = {
    "a column's name": (
        shorten_title,
        "shorten_title reads books.titel; books has no such column. Did you mean title? "
        "(a field that is no column needs an entry in lookups=)",
    ),
    "NULL into str": (
        note_writer,
        "books.writer may be NULL but Needing.writer is str: "
        "write 'str | None', or where=column(\"writer\").is_not(None)",
    ),
    "its own group": (
        unique_shelves,
        "unique_shelves writes books.shelf, by which it walks: a row could be met again in its new place. "
        "Small table: group_by=(). Else: step",
    ),
    "NOT NULL in a seed": (payments, MISSING),
    "NOT NULL in an answer": (follow, MISSING),
    "a key of two columns": (stamp, COMPOSITE),
    "a key of two columns in a seed": (stamp_a_book, COMPOSITE),
}


@pytest.mark.parametrize(("transform", "told"), FOUND.values(), ids=FOUND.keys())
def test_a_mistake_about_the_tables(library: sa.Engine, transform: Transform[..., Any], told: str) -> None:
    """Told with the ways out, and no row is written."""
    before = {table: values(library, table, *table.c.keys()) for table in ROWS}
    with pytest.raises(BackfillError) as refusal:
        fill(library, transform)
    found = refusal.value.findings if isinstance(refusal.value, ChecksFailed) else ()
    assert [finding.message for finding in found] == [told] or str(refusal.value) == told
    assert {table: values(library, table, *table.c.keys()) for table in ROWS} == before


def test_a_mistake_in_a_seed_leaves_no_trace(library: sa.Engine) -> None:
    """What a seed returns is known beforehand, so that not even a run is entered into the ledger."""
    assert refuse(library, payments).exit_code == 2


def test_a_mistake_that_only_an_answer_tells_ends_the_run(library: sa.Engine) -> None:
    """Nobody works on it any more, so it is not left running, and its reason is kept."""
    with pytest.raises(ChecksFailed):
        fill(library, follow)
    with Database.of(library) as database:
        run = Ledger(database).latest("follow")
    assert run is not None
    assert (run.status, MISSING in str(run.reason)) == ("failed", True)


@backfill.transform("books", group_by=())
def dedupe(books: list[Book]) -> list[Note | None]:
    """Answers for too few rows."""
    return [Note(note=book.title) for book in books if book.writer]


@backfill.transform("books")
def write_by_itself(book: Key, *, connection: Connection) -> Copies | None:
    """The connection is there to look around."""
    connection.execute(text("UPDATE books SET copies = 2"))
    return None


@backfill.transform("books", where=column("id") == 1)
def return_another(book: Key) -> Note | None:
    """Not what is declared."""
    return Author(name="x")  # type: ignore[return-value]


ANSWERED: dict[str, tuple[Transform[..., Any], str]] = {
    "too few results": (
        dedupe,
        "books rows 1 to 5: 5 rows were given, 4 results came back; one per row, None leaves a row",
    ),
    "a write through the connection": (
        write_by_itself,
        "books row 1: a transform returns its changes; connection only reads. "
        'Return Update("table", ..., id=...), or make it a step',
    ),
    "another model": (return_another, "books row 1: the function returned Author; it is declared to return Note"),
}


@pytest.mark.parametrize(("transform", "told"), ANSWERED.values(), ids=ANSWERED.keys())
def test_a_mistake_in_an_answer(library: sa.Engine, transform: Transform[..., Any], told: str) -> None:
    """Told at the row, and nothing of its batch is written."""
    with pytest.raises(RowRejected) as failure:
        fill(library, transform, rows=9)
    assert str(failure.value) == told
    assert values(library, books, "copies", "note") == [(1, None)] * 5


def test_changed_code(library: sa.Engine) -> None:
    """A run that stopped does not go on with another definition unasked."""

    def number(book: Book) -> Copies:
        """Stops at the third."""
        if book.id == 3:
            raise Rejected("not yet")
        return Copies(copies=2)

    before, after = backfill.transform("books")(number), backfill.transform("books", where=column("id") > 0)(number)
    with pytest.raises(RowRejected):
        fill(library, before)
    with pytest.raises(DefinitionChanged) as refusal:
        fill(library, after)
    assert str(refusal.value) == (
        "number changed since its checkpoint (2 rows): its code, its models or the columns it uses. Go on with it as "
        "it is now: backfill run number --accept-change. Start over: backfill run number --from-start"
    )
    assert values(library, books, "copies") == [2, 2, 1, 1, 1]
