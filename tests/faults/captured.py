"""Captured: transforms that do in a batch what they must not do, or that take too long."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

import backfill
from backfill import Rows
from tests.faults.workloads import Counted, Counter

connection: sa.Connection | None = None
"""The run's own connection, which no transform should have."""

statements: list[str] = []
"""What a transform executes on it, once."""

SECONDS_A_ROW = 0.05


@backfill.transform("people")
def meddle(row: Counter) -> Counted:
    """Execute a statement in the batch's own transaction."""
    if statements:
        assert connection is not None
        connection.exec_driver_sql(statements.pop())
    return Counted(n=row.n + 1)


@backfill.transform("people")
def doze_on_postgresql(people: Rows) -> dict[str, Any]:
    """Take a while for each row."""
    nothing = sa.func.length(sa.cast(sa.func.pg_sleep(SECONDS_A_ROW), sa.Text))
    return {"n": people.c.n + 1 + nothing}


@backfill.transform("people")
def doze_on_mysql(people: Rows) -> dict[str, Any]:
    """Take a while for each row."""
    return {"n": people.c.n + 1 + sa.func.sleep(SECONDS_A_ROW)}


DOZERS = {"postgresql": doze_on_postgresql, "mysql": doze_on_mysql}


@backfill.transform("people")
def count_by_row(row: Counter) -> Counted:
    """Go by the name of another, which makes it the same transform with other code."""
    return Counted(n=row.n + 1)
