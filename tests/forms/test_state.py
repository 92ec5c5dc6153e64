"""State: what a function carries from batch to batch is saved with the checkpoint, or not at all."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import column

import backfill
from backfill import Rejected, Rows
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import DeclarationError, DefinitionChanged, RowRejected, RunFailed
from backfill.planner import draft_plan
from backfill.running.runner import run
from backfill.settings import Settings
from tests.forms.library import Book, Copies, Key, Note, books, loans, values
from tests.refusal import fill

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])


class Count(BaseModel):
    """How many rows came before, and what they were."""

    n: int = 0
    titles: list[str] = []


class Named(BaseModel):
    """Another state by the same parameter."""

    name: str = ""
    n: str = ""


def numbering(refused: set[int], **options: Any) -> Transform[..., Any]:
    """Declare a transform that numbers the books, and stops at some."""

    @backfill.transform("books", **options)
    def number(book: Book, *, state: Count) -> Copies:
        """One after the other."""
        state.n += 1
        state.titles.append(book.title)
        if book.id in refused:
            raise Rejected("not yet")
        return Copies(copies=state.n)

    return number


@EACH_SIZE
def test_it_goes_from_batch_to_batch(library: sa.Engine, rows: int) -> None:
    """From the state's default on, in the order of the walk."""
    fill(library, numbering(set(), order_by="year"), rows=rows)
    assert values(library, books, "copies") == [2, 3, 4, 5, 1]


@EACH_SIZE
def test_a_batch_that_is_rolled_back_never_happened(library: sa.Engine, rows: int) -> None:
    """A run that stopped goes on with the state of its last checkpoint, nested parts of it too."""
    refused = {4}
    number = numbering(refused)
    for _ in range(2):
        with pytest.raises(RowRejected, match=r"^books row 4: not yet(\n|$)"):
            fill(library, number, rows=rows)
    refused.clear()
    fill(library, number, rows=rows)
    assert values(library, books, "copies") == [1, 2, 3, 4, 5]
    with library.connect() as connection:
        state = connection.exec_driver_sql("SELECT state FROM backfill_slice").scalar_one()
    assert Count.model_validate_json(state).titles == ["Emma", "Persuasion", "Middlemarch", "Ulysses", "Beowulf"]


@EACH_SIZE
def test_a_list_and_its_state(library: sa.Engine, rows: int) -> None:
    """The number of batches cannot be seen."""

    @backfill.transform("books", order_by=column("title").desc())
    def number(books: list[Book], *, state: Count) -> list[Copies]:
        """One after the other."""
        state.n += len(books)
        return [Copies(copies=n) for n, _ in enumerate(books, state.n - len(books) + 1)]

    fill(library, number, rows=rows)
    assert values(library, books, "title", "copies") == [
        ("Emma", 4),
        ("Persuasion", 2),
        ("Middlemarch", 3),
        ("Ulysses", 1),
        ("Beowulf", 5),
    ]


def test_it_goes_from_table_to_table(library: sa.Engine) -> None:
    """The second table goes on where the first one ended."""

    @backfill.transform("loans", "books")
    def number(row: Key, *, state: Count) -> Note:
        """One after the other."""
        state.n += 1
        return Note(note=str(state.n))

    fill(library, number)
    assert values(library, loans, "note") + values(library, books, "note") == list("12345678")


def test_a_plan_changes_no_state(library: sa.Engine) -> None:
    """It is a first batch that is taken back."""
    with Database.of(library) as database:
        plan = draft_plan(database, numbering(set()), Settings())
    assert plan.repeatability.reason == "it carries a state from batch to batch"
    fill(library, numbering(set()))
    assert values(library, books, "copies") == [1, 2, 3, 4, 5]


def test_a_state_that_grows_with_the_table(library: sa.Engine) -> None:
    """64 KiB are written with each batch, and no more."""

    @backfill.transform("books")
    def swell(book: Book, *, state: Count) -> Copies:
        """Remembers too much."""
        state.titles.append("x" * 20_000)
        return Copies(copies=1)

    with pytest.raises(RunFailed) as failure:
        fill(library, swell, rows=1)
    assert str(failure.value) == (
        "the state of swell has grown to 80,030 bytes; it may have 65,536, since every batch writes it. Keep a count "
        "or the last value, and look the rest up"
    )


def test_the_bound_is_in_bytes(library: sa.Engine) -> None:
    """A letter may have two."""

    @backfill.transform("books", where=column("id") == 1)
    def swell(book: Book, *, state: Count) -> Copies:
        """40,000 letters."""
        state.titles.append("ü" * 40_000)
        return Copies(copies=1)

    with pytest.raises(RunFailed, match="has grown to 80,021 bytes"):
        fill(library, swell, rows=1)


def test_a_state_of_another_kind(library: sa.Engine) -> None:
    """A changed model that cannot read what was saved is told, with the ways on."""
    with pytest.raises(RowRejected):
        fill(library, numbering({3}), rows=1)

    @backfill.transform("books")
    def number(book: Book, *, state: Named) -> Copies:
        """Not a count."""
        return Copies(copies=1)

    with Database.of(library) as database, pytest.raises(DefinitionChanged) as refusal:
        run(database, number, Settings(), accept=["change"])
    assert str(refusal.value) == (
        "the state of number in the ledger is no Named any more. Take the model's change back, or start over: "
        "backfill run number --from-start"
    )


class Needy(BaseModel):
    """Without a first value."""

    n: int


def test_a_state_without_a_beginning() -> None:
    """Each of its fields needs a default; told when it is declared."""
    with pytest.raises(DeclarationError) as refusal:

        @backfill.transform("books")
        def number(book: Book, *, state: Needy) -> Copies:
            return Copies(copies=state.n)

    assert str(refusal.value) == "number: state begins as Needy(), so each of its fields needs a default"


def test_two_states() -> None:
    """One model holds all of it."""
    with pytest.raises(DeclarationError, match=r"^number carries one state from batch to batch: put b into a$"):

        @backfill.transform("books")
        def number(book: Book, *, a: Count, b: Count) -> Copies:
            return Copies(copies=a.n + b.n)


def test_columns_carry_no_state() -> None:
    """The function is called once, with the table."""
    with pytest.raises(DeclarationError, match="with Rows nothing else can be given to it"):

        @backfill.transform("books")
        def number(books: Rows, *, state: Count) -> Copies:
            return Copies(copies=state.n)
