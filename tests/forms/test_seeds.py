"""Seeds: rows without a source, written in one transaction with one checkpoint."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, text

import backfill
from backfill import BackfillError, Change, Delete, Insert, Update
from backfill.database import Database
from backfill.declaration.literal import from_document
from backfill.errors import ChecksFailed, DeclarationError
from backfill.planner import draft_plan
from backfill.settings import Settings
from backfill.verifier import verify
from tests.forms.library import THERE, Author, Mark, Note, authors, books, genres, loans, marks, values
from tests.refusal import contents, fill


@backfill.seed()
def genres_of_old() -> list[Change]:
    """Two, of which one is there, whose label is refreshed."""
    names = {"Eliot": "new", "Joyce": "old"}
    return [
        Insert("genres", Author(name=name, label=label), match="name", update="label") for name, label in names.items()
    ]


def test_rows_are_inserted_if_missing_and_refreshed_if_not(library: sa.Engine) -> None:
    """Once; what is there keeps its key."""
    run = fill(library, genres_of_old)
    assert sorted(values(library, genres, "name", "label")) == [("Eliot", "new"), ("Joyce", "old")]
    assert (run.status, run.rows_written) == ("completed", 2)
    assert (THERE, "Eliot") in values(library, genres, "id", "name")


def test_a_seed_with_match_is_repeatable_and_verified(library: sa.Engine) -> None:
    """Verify finds what is not as the seed says, and nothing after it has run."""
    with Database.of(library) as database:
        assert len(verify(database, genres_of_old).mismatches) == 1
    fill(library, genres_of_old)
    with Database.of(library) as database:
        assert verify(database, genres_of_old).mismatches == []


def test_a_seed_without_match_is_done_once(library: sa.Engine) -> None:
    """Only its checkpoint says that it was."""

    @backfill.seed()
    def an_author() -> list[Change]:
        """Another row each time."""
        return [Insert("authors", Author(name="x"))]

    for _ in range(2):
        fill(library, an_author)
    assert values(library, authors, "name").count("x") == 1


def test_changes_are_made_in_their_order(library: sa.Engine) -> None:
    """Of whatever kind; the update does not see the row that comes after it."""

    @backfill.seed()
    def replace() -> list[Change]:
        """The old one ends before the new one begins."""
        return [
            Update("loans", Note(note="ended"), book_id=1, note=None),
            Insert("loans", {"id": 9, "book_id": 1, "cents": 7}),
            Update("loans", {"cents": 8}, id=9),
            Delete("loans", id=1),
        ]

    fill(library, replace)
    assert values(library, loans, "id", "cents", "note") == [(2, 20, "ended"), (3, 5, None), (9, 8, None)]


def test_all_or_nothing(library: sa.Engine) -> None:
    """The last row breaks a constraint, so there is no first one either."""

    @backfill.seed()
    def twice() -> list[Change]:
        """The second is there already."""
        return [Insert("marks", Mark(name="x")), Insert("genres", Author(name="Eliot"))]

    with pytest.raises(BackfillError):
        fill(library, twice)
    assert values(library, marks, "id") == values(library, genres, "id") == [THERE]


def test_it_may_look_around(library: sa.Engine) -> None:
    """With a connection that only reads."""

    @backfill.seed()
    def marks_of_writers(connection: Connection) -> list[Change]:
        """One for each."""
        found = connection.execute(text("SELECT DISTINCT writer FROM books WHERE writer IS NOT NULL ORDER BY writer"))
        return [Insert("marks", Mark(name=name), match="name") for name in found.scalars()]

    fill(library, marks_of_writers)
    assert sorted(values(library, marks, "name"), key=str) == ["Austen", "Eliot", "Joyce", None]


def test_it_may_say_nothing(library: sa.Engine) -> None:
    """Then it is completed all the same."""

    @backfill.seed()
    def nothing() -> list[Change]:
        """No change."""
        return []

    run = fill(library, nothing)
    assert (run.status, run.rows_written) == ("completed", 0)


def test_a_plan_of_a_seed_writes_nothing(library: sa.Engine) -> None:
    """It shows the rows."""
    before = contents(library)
    with Database.of(library) as database:
        (shown,) = draft_plan(database, genres_of_old, Settings()).tables
    assert [dict(row) for row in shown.changes[0].samples] == [
        {"name": "Eliot", "label": "new"},
        {"name": "Joyce", "label": "old"},
    ]
    after = contents(library)
    assert {name: after[name] for name in ("genres", "books")} == {name: before[name] for name in ("genres", "books")}


def test_a_seed_as_pure_data(library: sa.Engine) -> None:
    """The same, without Python."""
    text_of = '{"table": "genres", "insert": [{"name": "Eliot", "label": "new"}, {"name": "Joyce", "label": null}], %s}'
    seed = from_document("some_genres", text_of % '"match": ["name"], "update": ["label"]')
    assert fill(library, seed).rows_written == 2
    assert sorted(values(library, genres, "name", "label")) == [("Eliot", "new"), ("Joyce", None)]


def test_a_delete_as_pure_data(library: sa.Engine) -> None:
    """Rows that the condition takes."""
    fill(library, from_document("drop", '{"table": "books", "where": {"writer": [null, "Joyce"]}, "delete": true}'))
    assert values(library, books, "id") == [1, 2, 3]


def test_a_column_that_is_not_there(library: sa.Engine) -> None:
    """Refused with the nearest name; nothing of the seed is kept."""

    @backfill.seed()
    def mistake() -> list[Change]:
        """A typing mistake."""
        return [Insert("marks", Mark(name="x")), Insert("genres", {"name": "x", "lable": "y"})]

    with pytest.raises(ChecksFailed) as refusal:
        fill(library, mistake)
    told = [finding.message for finding in refusal.value.findings]
    assert told == ['Insert("genres"): genres has no column lable. Did you mean label?']
    assert values(library, marks, "name") == [None]


@pytest.mark.parametrize("change", [Delete(), Mark(name="x"), None], ids=["this row", "a model", "None"])
def test_there_is_no_row_to_speak_of(library: sa.Engine, change: Any) -> None:
    """A seed has none that it could delete, fill or leave."""

    @backfill.seed()
    def mistake() -> list[Change]:
        """Not a change."""
        return [change]

    with pytest.raises(BackfillError, match=rf"the function returned {type(change).__name__}"):
        fill(library, mistake)


def test_a_seed_returns_changes() -> None:
    """Told when it is declared."""
    with pytest.raises(DeclarationError) as refusal:

        @backfill.seed()  # type: ignore[arg-type]
        def mistake() -> list[Mark]:
            return []

    assert (
        str(refusal.value)
        == "mistake returns list[tests.forms.library.Mark]; a seed returns changes: '-> list[Change]'"
    )
