"""With images, what a run wrote is computed again from what it found: in-place and self-excluding rows too."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill import Rows, is_missing
from backfill.command.pages import verdict_page
from backfill.declaration.decorator import Transform
from backfill.errors import Refused
from backfill.verifier import Verdict, verify
from tests.faults.kinds import WORKLOADS
from tests.faults.workloads import (
    Counted,
    Counter,
    count_by_row,
    count_in_sql,
    label_by_row,
    label_in_sql,
    opened,
    people,
    run_on,
    seed,
    settings,
)
from tests.undo.states import state_of

KEEPING = settings(keep_undo=True)

RIGHT: dict[str, Transform[..., Any]] = {
    each.name: each for each in (count_by_row, count_in_sql, label_by_row, label_in_sql)
}


def verdict_of(engine: sa.Engine, transform: Transform[..., Any]) -> Verdict:
    """Verify, and see that nothing was written."""
    before = state_of(engine)
    with opened(engine) as database:
        verdict = verify(database, transform)
    assert state_of(engine) == before
    return verdict


def meddle(engine: sa.Engine, statement: str) -> None:
    """Change what the image says was written, as a faulty run would have."""
    with engine.begin() as connection:
        (image,) = connection.exec_driver_sql("SELECT name FROM backfill_image").scalars()
        connection.exec_driver_sql(statement.format(image=image))


@pytest.mark.parametrize("name", RIGHT)
def test_what_was_written_comes_out_again(pooled: sa.Engine, name: str) -> None:
    """Of a counter and of a condition by the column that is written, in Python and in SQL."""
    seed(pooled, 25)
    run_on(pooled, RIGHT[name], KEEPING)
    verdict = verdict_of(pooled, RIGHT[name])
    assert (list(verdict.mismatches), list(verdict.not_compared)) == ([], [])
    assert verdict_page(verdict) == f"{name}: what it wrote comes out again."


@pytest.mark.parametrize("name", RIGHT)
def test_a_row_that_was_written_wrongly_is_found(pooled: sa.Engine, name: str) -> None:
    """By its key, whatever it holds now."""
    seed(pooled, 25)
    run_on(pooled, RIGHT[name], KEEPING)
    meddle(pooled, "UPDATE {image} SET a0 = a0 + 1 WHERE k0 = 3")
    verdict = verdict_of(pooled, RIGHT[name])
    assert [(each.table, each.key) for each in verdict.mismatches] == [("people", (3,))]
    assert verdict_page(verdict) == f"{name}: 1 row for which something else comes out, first: people 3"


def test_another_function_is_told_from_the_one_that_ran(pooled: sa.Engine) -> None:
    """Every row differs."""
    seed(pooled, 25)
    run_on(pooled, count_by_row, KEEPING)

    @backfill.transform("people")
    def count_by_two(row: Counter) -> Counted:
        """Not what ran."""
        return Counted(n=row.n + 2)

    count_by_two.definition.__dict__["name"] = "count_by_row"
    assert len(verdict_of(pooled, count_by_two).mismatches) == 25


def test_what_cannot_be_computed_again_is_said(pooled: sa.Engine) -> None:
    """Rows of groups, rows of other tables, and what windows see."""
    said = {
        "place_in_team": "rows of members whose values depend on others (a group, a look-up, a state, a step)",
        "build_missing": "what was done to other rows of houses (insert)",
        "move_in_sql": "what was done to other rows of notes (insert)",
    }
    for name, words in said.items():
        load = WORKLOADS[name]
        load.seed(pooled, 6)
        run_on(pooled, load.transform, KEEPING)
        verdict = verdict_of(pooled, load.transform)
        assert words in verdict.not_compared
        assert f" Not compared: {'; '.join(verdict.not_compared)}." in verdict_page(verdict)


class Blank(BaseModel):
    """What is written to everybody."""

    label: str


@backfill.transform("people")
def greet_all(people: Rows) -> Blank:
    """A constant."""
    return Blank(label="hello")


@backfill.transform("people")
def greet_and_count(people: Rows) -> dict[str, Any]:
    """A constant, and an expression."""
    return {"label": "hello", "n": people.c.n + 1}


@pytest.mark.parametrize("transform", [greet_all, greet_and_count], ids=["alone", "beside an expression"])
def test_a_constant_is_compared_too(pooled: sa.Engine, transform: Transform[..., Any]) -> None:
    """It comes out again, and another one would not."""
    seed(pooled, 5)
    run_on(pooled, transform, KEEPING)
    verdict = verdict_of(pooled, transform)
    assert (list(verdict.mismatches), list(verdict.not_compared)) == ([], [])
    meddle(pooled, "UPDATE {image} SET a0 = 'hullo' WHERE k0 = 3")
    assert [each.key for each in verdict_of(pooled, transform).mismatches] == [(3,)]


def test_a_document_is_compared_by_what_it_holds(pooled: sa.Engine) -> None:
    """A constant of JSON, as skills are."""
    with pooled.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE skilled (id INTEGER PRIMARY KEY, skills JSON)")
        connection.exec_driver_sql("INSERT INTO skilled (id) VALUES (1), (2)")

    class Skills(BaseModel):
        """Written."""

        skills: list[dict[str, int]]

    @backfill.transform("skilled", where=is_missing("skills"))
    def skill(skilled: Rows) -> Skills:
        """The same for everybody."""
        return Skills(skills=[{"n": 1}])

    run_on(pooled, skill, KEEPING)
    with opened(pooled) as database:
        verdict = verify(database, skill)
    assert (list(verdict.mismatches), list(verdict.not_compared)) == ([], [])


def test_keys_of_inserted_rows_are_not_compared(pooled: sa.Engine) -> None:
    """To compute one again would insert it again; that is said."""
    load = WORKLOADS["house_each"]
    load.seed(pooled, 6)
    run_on(pooled, load.transform, KEEPING)
    with opened(pooled) as database:
        verdict = verify(database, load.transform)
    assert list(verdict.mismatches) == []
    assert any("that hold keys of rows inserted for them" in each for each in verdict.not_compared)


def test_without_images_a_counter_is_not_verified(pooled: sa.Engine) -> None:
    """Computing again proves nothing, and that is said."""
    seed(pooled, 5)
    run_on(pooled, count_in_sql)
    with pytest.raises(Refused, match="it reads n, which it writes, and no images of what it found are kept"):
        verdict_of(pooled, count_in_sql)


def test_columns_that_were_not_written_are_taken_as_they_are(pooled: sa.Engine) -> None:
    """What the result depends on must be as it was: verify before somebody changes it."""
    seed(pooled, 5)

    @backfill.transform("people")
    def name_by_number(people: Rows) -> dict[str, Any]:
        """Reads one column and writes another."""
        return {"label": sa.cast(people.c.n, sa.String(20))}

    run_on(pooled, name_by_number, KEEPING)
    assert verdict_of(pooled, name_by_number).mismatches == []
    with pooled.begin() as connection:
        connection.execute(people.update().where(people.c.id == 2).values(n=1))
    assert [each.key for each in verdict_of(pooled, name_by_number).mismatches] == [(2,)]
