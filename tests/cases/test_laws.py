"""The laws hold of real data steps, on the rows that these were written for."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backfill import schema
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.rows.tables import Tables
from backfill.testing import LawBroken, rehearse
from backfill.testing.contents import Contents, read, take_out
from tests.cases.conftest import Prepare
from tests.cases.harness import CASES, LONG, Case
from tests.faults.workloads import ACCEPTED, run_on

STEPS = [(case, step) for case in CASES if case.name not in LONG for step in case.steps]

FRESH = {
    "dataset_users": ("inserted_at", "updated_at"),
    "group_organizations": ("pubid",),
    "letter_rates_february_2025": ("id",),
    "chat_messages": ("created_at", "updated_at"),
    "policies_to_automations": ("id", "trigger"),
}
"""What the projects themselves draw or take from a clock."""


@pytest.mark.sqlite
@pytest.mark.parametrize(("case", "step"), STEPS, ids=[f"{case.name}-{step.name}" for case, step in STEPS])
def test_a_real_data_step_keeps_all_laws(case: Case, step: Transform[..., Any], prepare: Prepare) -> None:
    """Whoever breaks one does so with a fresh value, and says so by its name."""
    engine = prepare(case, "sqlite")
    for earlier in case.steps[: case.steps.index(step)]:
        run_on(engine, earlier)
    rows = taken_out(engine)
    if step.name in FRESH:
        with pytest.raises(LawBroken, match=r"\(sameness\)"):
            rehearse(step, rows, engine, accept=ACCEPTED)
    end = rehearse(step, rows, engine, fresh=FRESH.get(step.name, ()), accept=ACCEPTED)
    assert (end != rows) == (step.name != "continue_sequence")  # it moves a sequence, and there is none on SQLite


def taken_out(engine: sa.Engine) -> Contents:
    """All rows, which are not in their tables any more."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with Database.of(engine) as database, database.transaction() as connection:
        found = Tables(database)
        names = [table.name for table in metadata.sorted_tables if not schema.owns(table.name)]
        tables = {name: found.find(name) for name in names}
        rows = read(connection, tables)
        take_out(connection, tables)
    return rows
