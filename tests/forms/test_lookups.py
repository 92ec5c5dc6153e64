"""Look-ups: a field that is no column is filled from other rows, with one select per batch."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Field
from sqlalchemy import column, func, select, table

import backfill
from backfill import Rows, is_missing
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import DeclarationError, RowRejected
from backfill.planner import draft_plan
from backfill.settings import Settings
from tests.forms.library import Copies, Note, author, book, books, loan, loans, values
from tests.refusal import fill, find

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])
LENT = select(loan.c.cents).where(loan.c.book_id == book.c.id)


class Loan(BaseModel):
    """A row looked up."""

    number: int = Field(alias="id")
    cents: int | None


def noting(kind: Any, statement: Any) -> Transform[..., Any]:
    """Declare a transform that notes what it finds, by a look-up of this kind."""

    class Lent(BaseModel):
        """Read."""

        __annotations__ = {"id": int, "found": kind}

    @backfill.transform("books", where=column("id") <= 3, lookups={"found": statement})
    def note(book: Lent) -> Note:
        """As Python shows it."""
        found = getattr(book, "found")  # noqa: B009  # the field is not known to types
        return Note(note=repr(found.cents if isinstance(found, Loan) else found))

    return note


FIELDS: dict[str, tuple[Any, Any, list[str]]] = {
    "one value or none": (int | None, LENT.where(loan.c.id > 1), ["20", "None", "5"]),
    "one row or none": (
        Loan | None,
        select(loan).where(loan.c.book_id == book.c.id, loan.c.id > 1),
        ["20", "None", "5"],
    ),
    "all values, in the select's order": (list[int], LENT.order_by(loan.c.cents), ["[20, 30]", "[]", "[5]"]),
    "all values, the other way": (list[int], LENT.order_by(loan.c.id), ["[30, 20]", "[]", "[5]"]),
    "all values, once each": (set[int], LENT, ["{20, 30}", "set()", "{5}"]),
    "an aggregate": (int | None, LENT.with_only_columns(func.max(loan.c.cents)), ["30", "None", "5"]),
    "a limit": (int | None, LENT.order_by(loan.c.cents).limit(1), ["20", "None", "5"]),
    "a number of rows": (int, LENT.with_only_columns(func.count()), ["2", "0", "1"]),
}


@EACH_SIZE
@pytest.mark.parametrize(("kind", "statement", "wanted"), FIELDS.values(), ids=FIELDS.keys())
def test_what_a_field_finds(library: sa.Engine, kind: Any, statement: Any, wanted: list[str], rows: int) -> None:
    """Whatever the batch size."""
    fill(library, noting(kind, statement), rows=rows)
    assert values(library, books, "note")[:3] == wanted


def test_all_rows_as_models(library: sa.Engine) -> None:
    """By the aliases of their fields, in the select's order."""
    lent = select(loan.c.id, loan.c.cents).where(loan.c.book_id == book.c.id).order_by(loan.c.cents)

    class Lent(BaseModel):
        """Read."""

        title: str
        loans: list[Loan]

    @backfill.transform("books", lookups={"loans": lent})
    def note(book: Lent) -> Note:
        """Their numbers."""
        return Note(note=f"{book.title} {[loan.number for loan in book.loans]}")

    fill(library, note)
    assert values(library, books, "note")[:2] == ["Emma [2, 1]", "Persuasion []"]


@pytest.mark.parametrize("kind", [int | None, Loan | None], ids=["a value", "a row"])
def test_two_rows_for_a_field_of_one(library: sa.Engine, kind: Any) -> None:
    """An error, at the row that finds them."""
    statement = LENT if kind == int | None else select(loan).where(loan.c.book_id == book.c.id)
    with pytest.raises(RowRejected) as failure:
        fill(library, noting(kind, statement))
    assert str(failure.value) == (
        "books row 1: the lookup found finds 2 rows for a field of one: give the field a list, or narrow the select"
    )


def test_nothing_found_for_a_field_that_needs_something(library: sa.Engine) -> None:
    """None is not an int."""
    with pytest.raises(RowRejected, match=r"^books row 2: Lent.found: Input should be a valid integer(\n|$)"):
        fill(library, noting(int, LENT.where(loan.c.id > 1)), rows=1)


TOGETHER = "counts, sums or limits, which would act on the whole batch; only a field of one value may do so"
REFUSED: dict[str, tuple[Any, Any, str]] = {
    "a list with a limit": (list[int], LENT.limit(1), TOGETHER),
    "a list with an aggregate": (list[int], LENT.with_only_columns(func.max(loan.c.cents)), TOGETHER),
    "a list by groups": (list[int], LENT.group_by(loan.c.cents), TOGETHER),
    "a row with a limit": (Loan | None, select(loan).where(loan.c.book_id == book.c.id).limit(1), TOGETHER),
    "two columns for a value": (
        int | None,
        select(loan.c.id, loan.c.cents),
        "selects 2 columns for a field that holds values; give the field a model, or select one column",
    ),
    "a column that the model asks for": (list[Loan], select(loan.c.id), "does not select cents, which Loan asks for"),
    "no select": (int | None, loan.c.cents, "takes a select(...), not ColumnClause"),
}


@pytest.mark.parametrize(("kind", "statement", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_select_that_does_not_fit_its_field(kind: Any, statement: Any, told: str) -> None:
    """Told when it is declared."""
    with pytest.raises(DeclarationError) as refusal:
        noting(kind, statement)
    assert told in str(refusal.value)


def test_a_field_that_is_not_there() -> None:
    """Each entry fills a field."""
    with pytest.raises(DeclarationError, match=r"^note: lookups\['cents'\]: Note has no such field$"):

        @backfill.transform("books", lookups={"cents": LENT})
        def note(book: Note) -> Note:
            return book


def test_from_columns_a_subquery_does_it() -> None:
    """There is no field to fill."""
    with pytest.raises(DeclarationError, match=r"^note: lookups fill fields of a model; from Rows use a subquery$"):

        @backfill.transform("books", lookups={"cents": LENT})
        def note(books: Rows) -> dict[str, Any]:
            return {"note": books.c.title}


def test_a_select_that_is_not_tied_to_the_rows(library: sa.Engine) -> None:
    """Every row would find all of its rows: refused before the first."""
    told = find(library, noting(list[int], select(loan.c.cents)), "select-loose").message
    assert told.startswith("a select does not speak of books, so every row would get all of its rows")


def test_a_join_to_the_walked_table(library: sa.Engine) -> None:
    """Written as a join, it is the same."""
    lent = select(loan.c.cents).select_from(loan.join(book, book.c.id == loan.c.book_id)).order_by(loan.c.cents)
    fill(library, noting(list[int], lent))
    assert values(library, books, "note")[:3] == ["[20, 30]", "[]", "[5]"]


@EACH_SIZE
def test_the_walked_table_is_looked_up_through_an_alias(library: sa.Engine, rows: int) -> None:
    """Other rows of it, which have their own values."""
    others = book.alias("others")
    same = select(others.c.id).where(others.c.writer == book.c.writer).order_by(others.c.id)
    fill(library, noting(list[int], same), rows=rows)
    assert values(library, books, "note")[:3] == ["[1, 2]", "[1, 2]", "[3]"]


def test_an_alias_names_the_look_up_too(library: sa.Engine) -> None:
    """A field with an alias reads the column of that name, and is filled by its own."""

    class Lent(BaseModel):
        """Read."""

        number: int = Field(alias="id")
        all_cents: list[int] = Field(alias="cents")

    @backfill.transform("books", lookups={"all_cents": LENT})
    def note(book: Lent) -> Note:
        """Both."""
        return Note(note=f"{book.number} {sum(book.all_cents)}")

    fill(library, note)
    assert values(library, books, "note") == ["1 50", "2 0", "3 5", "4 0", "5 0"]


def test_look_ups_of_a_list_of_rows(library: sa.Engine) -> None:
    """For each row of the batch its own."""

    class Lent(BaseModel):
        """Read."""

        cents: list[int]

    @backfill.transform("books", group_by=(), lookups={"cents": LENT})
    def count(books: list[Lent]) -> list[Copies]:
        """At least one."""
        return [Copies(copies=1 + len(book.cents)) for book in books]

    fill(library, count)
    assert values(library, books, "copies") == [3, 1, 2, 1, 1]


def test_one_select_for_a_batch(library: sa.Engine) -> None:
    """Never one for each row."""
    seen: list[str] = []
    sa.event.listen(library, "before_cursor_execute", listener := lambda *given: seen.append(given[2]))
    fill(library, noting(list[int], LENT), rows=9)
    sa.event.remove(library, "before_cursor_execute", listener)
    assert (
        len([statement for statement in seen if "loans" in statement and "cents" in statement.partition("FROM")[0]])
        == 1
    )


def test_a_look_up_finds_what_was_there_before_the_batch(library: sa.Engine) -> None:
    """Where one batch size can be told from another, plan warns."""
    others = book.alias("others")
    most = select(func.max(others.c.copies)).where(others.c.id < book.c.id)

    class Counted(BaseModel):
        """Read."""

        most: int | None

    @backfill.transform("books", lookups={"most": most})
    def count(book: Counted) -> Copies:
        """One more than any book before has."""
        return Copies(copies=(book.most or 0) + 1)

    with Database.of(library) as database:
        plan = draft_plan(database, count, Settings(batch_size=9))
    assert "looks-at-written" in [finding.code for finding in plan.findings]
    fill(library, count, rows=9)
    assert values(library, books, "copies") == [1, 2, 2, 2, 2]


def test_look_ups_see_what_the_batch_before_wrote(library: sa.Engine) -> None:
    """They run in the batch's own transaction."""
    others = book.alias("others")
    most = select(func.max(others.c.copies)).where(others.c.id <= book.c.id)

    class Counted(BaseModel):
        """Read."""

        most: int

    @backfill.transform("books", where=is_missing("note"), lookups={"most": most})
    def count(book: Counted) -> Copies:
        """One more than any book before has."""
        return Copies(copies=book.most + 1)

    fill(library, count, rows=1)
    assert values(library, books, "copies") == [2, 3, 4, 5, 6]


@EACH_SIZE
def test_a_look_up_by_two_columns_through_another_table(library: sa.Engine, rows: int) -> None:
    """Any number of tables between the two."""
    with library.begin() as connection:
        connection.execute(loans.update().where(loans.c.id == 3).values(note="Eliot"))
    light = table("loans", column("book_id"), column("note"))
    name = (
        select(author.c.id)
        .join(light, light.c.note == author.c.name)
        .where(light.c.book_id == book.c.id, author.c.name == book.c.writer)
    )
    fill(library, noting(int | None, name), rows=rows)
    assert values(library, books, "note")[:3] == ["None", "None", "1000"]
