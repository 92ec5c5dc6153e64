"""Adaptation: no condition reaches rows outside its batch, or a table of the same name elsewhere."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import column, exists, func, or_, select, table

import backfill
from backfill import Rows, is_missing
from tests.kept import EACH_DATABASE, keep, refill
from tests.payments import (
    ROWS,
    light,
    light_refunds,
    marking,
    metadata,
)
from tests.refusal import execute, fill, rows_of


@pytest.fixture(scope="module", params=EACH_DATABASE)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Keep the tables of payments, refunds and reasons."""
    yield from keep(request, tmp_path_factory, metadata.create_all)


@pytest.fixture
def paid(kept: sa.Engine) -> sa.Engine:
    """Give a database with six payments, refunds for 2 and 5, and a reason for one of them."""
    refill(kept, ROWS)
    return kept


OR_CONDITIONS = {
    "or": or_(column("id") > 0, column("customer") > 0),
    "or of exists": ~exists().where(light_refunds.c.payment_id == light.c.id) | (column("id") > 0),
    "or of missing": is_missing("mark") | ~is_missing("mark"),
    "or in a function": func.coalesce(column("id"), 0) == column("id"),
}


@pytest.mark.parametrize("where", OR_CONDITIONS.values(), ids=OR_CONDITIONS.keys())
def test_an_or_stays_in_its_batch(paid: sa.Engine, where: Any) -> None:
    """Batches of one row, and a value that shows how often each row was written."""

    @backfill.transform("payments", where=where)
    def count(rows: Rows) -> dict[str, Any]:
        """Not repeatable, on purpose."""
        return {"select": rows.c.select + 100}

    fill(paid, count, rows=1)
    assert rows_of(paid, 'SELECT "select" FROM payments ORDER BY id'.replace('"', quote(paid))) == [
        (100 + n,) for n in range(1, 7)
    ]


def quote(engine: sa.Engine) -> str:
    """Give the character that names are quoted with."""
    return engine.dialect.identifier_preparer.initial_quote


SCHEMAS = {"sqlite": "main", "postgresql": "app", "mysql": "{database}_app"}


@pytest.fixture
def schema(engine: sa.Engine) -> Iterator[str]:
    """Give a schema beside the usual one, as far as the database has them."""
    name = SCHEMAS[engine.dialect.name].format(database=engine.url.database)
    if engine.dialect.name != "sqlite":
        execute(engine, f"CREATE SCHEMA {name}")
    yield name
    if engine.dialect.name == "mysql":
        execute(engine, f"DROP SCHEMA {name}")


@pytest.mark.parametrize("walked", ["plain", "qualified"])
@pytest.mark.parametrize("is_real", [False, True], ids=["light", "real"])
def test_a_condition_on_a_qualified_table(engine: sa.Engine, schema: str, walked: str, is_real: bool) -> None:
    """The walked table is meant whether the condition names its schema or leaves it out."""
    spelt = None if walked == "plain" else schema
    people = sa.Table(
        "people",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mark", sa.Text),
        schema=schema,
    )
    pets = sa.Table(
        "pets",
        people.metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Integer),
        schema=schema,
    )
    people.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(people.insert(), [{"id": 1}, {"id": 2}, {"id": 3}])
        connection.execute(pets.insert(), [{"id": 1, "owner": 2}])
    named = people if is_real and spelt else table("people", column("id"), schema=spelt)
    where = ~exists().where(table("pets", column("owner"), schema=schema).c.owner == named.c.id)
    fill(engine, marking(where, f"{schema}.people"))
    with engine.connect() as connection:
        found = connection.scalars(select(people.c.id).where(people.c.mark == "x").order_by(people.c.id)).all()
    assert found == [1, 3]
