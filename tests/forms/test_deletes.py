"""Deletes and updates of rows: of the walked one, of others of its table, and of rows of other tables."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import column, exists, func, select, table

import backfill
from backfill import Change, Delete, Insert, Rows, Update, is_missing
from tests.forms.library import Author, Book, Copies, Key, Note, authors, book, books, chapters, loan, loans, values
from tests.refusal import fill

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])
chapter = table("chapters", column("book_id"))


@EACH_SIZE
def test_a_row_deletes_itself(library: sa.Engine, rows: int) -> None:
    """The walk compares keys and does not count, so no row is passed over."""

    @backfill.transform("books", where=column("writer").is_not(None))
    def drop(book: Book) -> Delete | None:
        """All but one."""
        return None if book.title == "Emma" else Delete()

    run = fill(library, drop, rows=rows)
    assert values(library, books, "title") == ["Emma", "Beowulf"]
    assert (run.rows_read, run.rows_written) == (5, 3)


@EACH_SIZE
def test_a_list_deletes_some_of_its_rows(library: sa.Engine, rows: int) -> None:
    """One entry per row; None and an empty list leave it."""

    @backfill.transform("books")
    def drop(books: list[Key]) -> list[Delete | None]:
        """Even numbers."""
        return [None if book.id % 2 else Delete() for book in books]

    fill(library, drop, rows=rows)
    assert values(library, books, "id") == [1, 3, 5]


@EACH_SIZE
def test_a_correlated_condition_stays_correlated(library: sa.Engine, rows: int) -> None:
    """Books that nobody lends go; uncorrelated it would be true or false for all of them at once."""
    lent = exists().where(loan.c.book_id == book.c.id)

    @backfill.transform("books", where=~lent)
    def drop(books: Rows) -> Delete:
        """Without a loan."""
        return Delete()

    fill(library, drop, rows=rows)
    assert values(library, books, "id") == [1, 3]


def test_a_subquery_whose_column_names_no_table(library: sa.Engine) -> None:
    """It would bind to the inner table, and delete every row: refused."""

    @backfill.transform("books", where=exists().where(loan.c.book_id == column("id")))
    def drop(books: Rows) -> Delete:
        """Never."""
        return Delete()

    with pytest.raises(backfill.BackfillError, match=r'column\("id"\) stands inside a subquery'):
        fill(library, drop)
    assert len(values(library, books, "id")) == 5


@EACH_SIZE
def test_rows_of_another_table(library: sa.Engine, rows: int) -> None:
    """Those whose column has the value given."""

    @backfill.transform("books")
    def drop_loans(book: Book) -> Delete | None:
        """Of one book."""
        return Delete("loans", book_id=book.id) if book.title == "Emma" else None

    fill(library, drop_loans, rows=rows)
    assert values(library, loans, "id") == [3]


def test_rows_of_another_table_by_null(library: sa.Engine) -> None:
    """None matches NULL."""
    with library.begin() as connection:
        connection.execute(loans.update().where(loans.c.id == 2).values(book_id=None))

    @backfill.seed()
    def drop_lost() -> list[Change]:
        """Loans of no book, and of one that is given by two columns."""
        return [Delete("loans", book_id=None), Delete("loans", book_id=1, cents=30)]

    fill(library, drop_lost)
    assert values(library, loans, "id") == [3]


@EACH_SIZE
def test_a_move_is_one_unit(library: sa.Engine, rows: int) -> None:
    """From columns: the rows are found once, so what is deleted is what was inserted elsewhere."""

    @backfill.transform("books", where=exists().where(loan.c.book_id == book.c.id))
    def move(books: Rows) -> list[Change]:
        """The loans go first, and with them the condition would not hold any more."""
        return [
            Insert("authors", {"name": books.c.title, "label": books.c.writer}),
            Delete("loans", book_id=books.c.id),
            Delete(),
        ]

    fill(library, move, rows=rows)
    assert sorted(values(library, authors, "name")) == ["Eliot", "Emma", "Middlemarch"]
    assert (values(library, books, "id"), values(library, loans, "id")) == ([2, 4, 5], [])


def test_the_order_of_each_row_is_kept_across_rows(library: sa.Engine) -> None:
    """A foreign key says so: one row's Delete() beside another's child first; the children go before any of both."""
    with library.begin() as connection:
        connection.execute(chapters.insert(), [{"id": 1, "book_id": 2}, {"id": 2, "book_id": 4}])

    @backfill.transform("books")
    def drop(book: Key) -> list[Change]:
        """Children, where there are any, and then the book."""
        return [Delete()] if book.id % 2 else [Delete("chapters", book_id=book.id), Delete()]

    fill(library, drop, rows=9)
    assert (values(library, books, "id"), values(library, chapters, "id")) == ([], [])


@EACH_SIZE
def test_other_rows_of_the_walked_table(library: sa.Engine, rows: int) -> None:
    """A row that an earlier one has deleted is not met again, in a later batch; in the same it was read before."""
    seen: list[int] = []

    @backfill.transform("books")
    def drop_next(book: Key) -> list[Change]:
        """The first three take the next but eight away."""
        seen.append(book.id)
        return [Delete("books", id=book.id + 2)] if book.id <= 2 else []

    fill(library, drop_next, rows=rows)
    assert values(library, books, "id") == [1, 2, 5]
    assert seen == {1: [1, 2, 5], 2: [1, 2, 5], 9: [1, 2, 3, 4, 5]}[rows]


def test_where_is_asked_when_the_row_is_read(library: sa.Engine) -> None:
    """In the batch's transaction: what an earlier batch wrote decides whether a later row is taken."""
    seen: list[int] = []

    @backfill.transform("books", where=is_missing("note"))
    def note(book: Key) -> list[Change]:
        """Takes the last book's turn away."""
        seen.append(book.id)
        return [Update("books", Note(note="by the first"), id=5), Update("books", Note(note="x"), id=book.id)]

    fill(library, note, rows=1)
    assert seen == [1, 2, 3, 4]


def test_the_last_of_two_updates_of_a_row_counts(library: sa.Engine) -> None:
    """By the order of the rows, and within a row by its list."""

    @backfill.transform("books", where=column("id") < 3)
    def note(book: Book) -> list[Note | Update]:
        """Both write to a third row too."""
        loan = [Update("loans", Note(note=note), id=1) for note in ("first", book.title)]
        return [Note(note="first"), Note(note=book.title), *loan]

    fill(library, note)
    assert values(library, books, "note")[:2] == ["Emma", "Persuasion"]
    assert values(library, loans, "note") == ["Persuasion", None, None]


@EACH_SIZE
def test_updates_of_another_table_from_columns(library: sa.Engine, rows: int) -> None:
    """Only of rows that a row of the batch speaks of; None in a match is NULL."""

    @backfill.transform("books", where=column("id") != 3)
    def note_loans(books: Rows) -> Update:
        """The title of the book that was lent, once."""
        return Update("loans", {"note": func.upper(books.c.title)}, book_id=books.c.id, note=None)

    fill(library, note_loans, rows=rows)
    assert values(library, loans, "note") == ["EMMA", "EMMA", None]


def test_a_batch_is_read_before_any_of_it_is_written(library: sa.Engine) -> None:
    """Each row gets the number of copies that the row before it had, not the one that it has just been given."""
    before = book.alias("before")
    copies = select(before.c.copies).where(before.c.id == book.c.id - 1)

    class Neighbour(Key):
        """Read."""

        copies: int | None

    @backfill.transform("books", where=column("id") > 1, lookups={"copies": copies})
    def shift(book: Neighbour) -> Copies:
        """One more."""
        return Copies(copies=(book.copies or 0) + 1)

    fill(library, shift, rows=9)
    assert values(library, books, "copies") == [1, 2, 2, 2, 2]


CONTRADICTIONS: dict[str, tuple[Any, str]] = {
    "an Update of nothing": (
        lambda: Update("loans", Note(note="x")),
        'Update("loans") says of no row that it is meant: name a column, as in Update("loans", ..., id=7). '
        "This row itself is updated by returning the model alone",
    ),
    "a Delete of a whole table": (
        lambda: Delete("loans"),
        'Delete() is this row; rows of another table are named by a column: Delete("policy_log", policy_id=7)',
    ),
    "a Delete of no table": (
        lambda: Delete(book_id=7),
        'Delete() is this row; rows of another table are named by a column: Delete("policy_log", policy_id=7)',
    ),
    "an upsert by nothing": (
        lambda: Insert("authors", Author(name="x"), update="label"),
        'Insert("authors"): update= needs match=, which says how a row is known',
    ),
}


@pytest.mark.parametrize(("change", "told"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_change_that_contradicts_itself(change: Any, told: str) -> None:
    """Told where it is written."""
    with pytest.raises(backfill.BackfillError) as refusal:
        change()
    assert str(refusal.value) == told


def test_changes_are_data() -> None:
    """Compared by value, so that a unit test can say what should come."""
    one, other = (Insert("authors", Author(name="x"), match="name") for _ in range(2))
    assert one == other
    assert one != Insert("authors", Author(name="x"))
    assert Update("loans", Note(note=None), id=1) != Update("loans", Note(note=None), id=2)
    assert Delete() == Delete()
    assert Delete() != Delete("loans", id=1)
