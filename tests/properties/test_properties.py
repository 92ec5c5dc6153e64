"""Random tables, sizes and deaths: in the end the rows are what one statement would have made of them.

The examples are the same every time. `BACKFILL_TEST_SEED=random`, or a number, has others made; a failure tells the
number that repeats it. `BACKFILL_TEST_EXAMPLES` is how many of them there are.
"""

from __future__ import annotations

import os
import secrets
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import Phase
from hypothesis import strategies as st

from tests.faults.mutants import planted
from tests.faults.workloads import open_engine, run_on, settings
from tests.properties.deaths import Death, deaths, dying
from tests.properties.forms import END, FORMS, Form, count_by_row, count_in_sql
from tests.properties.rows import KeyKind, Rows, make_tables, tables

SEED = os.environ.get("BACKFILL_TEST_SEED", "0")
EXAMPLES = {"sqlite": 20, "postgresql": 6, "mysql": 6}
MUTANTS = {"checkpoint-before-data": count_by_row, "checkpoint-after-data": count_in_sql}


@pytest.mark.parametrize("form", FORMS, ids=[form.transform.name for form in FORMS])
def test_the_end_is_that_of_one_statement(database_url: sa.URL, form: Form) -> None:
    """Start, die, go on, die again, go on to the end: each row is what the database says in one select."""
    search(database_url, form, shrinks=True)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_wrong_protocol_is_found_out(sqlite_url: sa.URL, mutant: str) -> None:
    """The search is able to fail."""
    (form,) = (form for form in FORMS if form.transform is MUTANTS[mutant])
    with planted(mutant), pytest.raises(AssertionError) as caught:
        search(sqlite_url, form, shrinks=False)
    assert any("BACKFILL_TEST_SEED=" in note for note in caught.value.__notes__)


def search(url: sa.URL, form: Form, *, shrinks: bool) -> None:
    """Look for an example that ends otherwise."""
    engine = open_engine(url)
    number = secrets.randbelow(2**32) if SEED == "random" else int(SEED)
    count = int(os.environ.get("BACKFILL_TEST_EXAMPLES", EXAMPLES[engine.dialect.name]))
    phases = [Phase.generate, *([Phase.shrink] if shrinks else [])]

    @hypothesis.seed(number)
    @hypothesis.settings(max_examples=count, deadline=None, database=None, phases=phases)
    @hypothesis.given(things=tables(), size=st.integers(1, 20), fates=deaths)
    def run_and_compare(things: tuple[KeyKind, Rows], size: int, fates: list[Death]) -> None:
        table = make_tables(engine, *things)
        expected = told(engine, form.end(table))
        chosen = settings(batch_size=size, max_batch_size=size)
        for death in fates:
            with dying(engine, death):
                run_on(engine, form.transform, chosen)
        done = run_on(engine, form.transform, chosen)
        assert done.status == "completed"
        assert told(engine, sa.select(*table.primary_key.columns, *(table.c[name] for name in END))) == expected
        if form.has_tags:
            categories = {row.category for row in things[1].values()} - {None, "a"}
            assert tags(engine) == {"a": "there", **dict.fromkeys(categories, "new")}

    try:
        run_and_compare()
    except Exception as error:
        error.add_note(f"To repeat it: BACKFILL_TEST_SEED={number} BACKFILL_TEST_EXAMPLES={count}")
        raise


def told(engine: sa.Engine, select: sa.Select[Any]) -> dict[Any, Any]:
    """The rows of a select, by their keys."""
    with engine.connect() as connection:
        return {tuple(row[: -len(END)]): tuple(row[-len(END) :]) for row in connection.execute(select)}


def tags(engine: sa.Engine) -> dict[str, str]:
    """Where each tag is from."""
    with engine.connect() as connection:
        return {row.name: row.origin for row in connection.execute(sa.text("SELECT name, origin FROM tags"))}
