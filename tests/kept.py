"""A database that a whole module of tests keeps, where making a fresh one for each would take most of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from backfill import schema
from tests.conftest import DATABASES, fresh_database

EACH_DATABASE = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in DATABASES]


def keep(
    request: pytest.FixtureRequest, folders: pytest.TempPathFactory, prepare: Callable[[sa.Engine], None]
) -> Iterator[sa.Engine]:
    """Give an engine on the database that the fixture's parameter names, once it is prepared."""
    if request.param == "sqlite":
        urls = iter([sa.URL.create("sqlite", database=str(folders.mktemp("kept") / "test.db"))])
    else:
        urls = fresh_database(request.getfixturevalue(f"{request.param}_server"))
    for url in urls:
        engine = sa.create_engine(url)
        prepare(engine)
        yield engine
        engine.dispose()


def refill(engine: sa.Engine, rows: dict[sa.Table, list[dict[str, object]]]) -> None:
    """Put the tables' rows back as they were, and forget every run."""
    with engine.begin() as connection:
        if schema.exists(connection):
            for ledger in reversed(schema.RECORDS):
                connection.execute(ledger.delete())
        for table, values in rows.items():
            connection.execute(table.delete())
            for row in values:
                connection.execute(table.insert().values(row))
