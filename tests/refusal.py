"""What it means to be refused: exit code 2, a message, and a database in which nothing has changed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
import sqlalchemy as sa

from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import ChecksFailed, Refused
from backfill.finding import Finding
from backfill.run import Run
from backfill.running.runner import run
from backfill.settings import Settings


def fill(engine: sa.Engine, transform: Transform[..., Any], accept: Collection[str] = (), rows: int = 2) -> Run:
    """Run a transform to its end, in batches so small that there are several."""
    with Database.of(engine) as database:
        return run(database, transform, Settings(batch_size=rows, max_batch_size=rows), accept=accept)


def refuse(engine: sa.Engine, transform: Transform[..., Any], accept: Collection[str] = ()) -> Refused:
    """Run a transform that must be refused, and give the refusal; not a row and not a table is different after it."""
    before = contents(engine)
    with pytest.raises(Refused) as refusal:
        fill(engine, transform, accept)
    assert refusal.value.exit_code == 2
    assert contents(engine) == before
    return refusal.value


def find(engine: sa.Engine, transform: Transform[..., Any], code: str) -> Finding:
    """Run a transform that a check must refuse, and give the finding of this code."""
    refusal = refuse(engine, transform)
    assert isinstance(refusal, ChecksFailed), refusal
    found = [finding for finding in refusal.findings if finding.code == code]
    assert found, refusal
    assert found[0].message in str(refusal)
    return found[0]


def contents(engine: sa.Engine) -> dict[str, list[Any]]:
    """Every table that is there, a ledger's among them, with all its rows."""
    with engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        tables = {name: sa.table(name, sa.literal_column("*")) for name in names}
        return {name: sorted(map(repr, connection.execute(sa.select(tables[name])))) for name in names}


def execute(engine: sa.Engine, *statements: str) -> None:
    """Run statements in the database's own words, each committed."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def rows_of(engine: sa.Engine, statement: str) -> list[tuple[Any, ...]]:
    """Rows as the driver gives them."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(statement)]
