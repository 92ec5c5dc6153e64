"""The databases that backfill knows, one file each; no other module asks for a database's name."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Connection

from backfill.dialect import Dialect
from backfill.dialects.mysql import MySQL
from backfill.dialects.postgresql import PostgreSQL
from backfill.dialects.sqlite import SQLite
from backfill.errors import Refused

_KNOWN: dict[str, type[Dialect]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "mysql": MySQL,
    "mariadb": MySQL,
}


def dialect_of(connection: Connection) -> Dialect:
    """The dialect of an open connection; raises Refused for a database that backfill does not know."""
    return dialect_named(connection.dialect.name)


@cache
def dialect_named(name: str) -> Dialect:
    """The dialect by SQLAlchemy's name for it; raises Refused for a database that backfill does not know."""
    if name not in _KNOWN:
        raise Refused(
            f"backfill does not know {name}; it runs on SQLite, PostgreSQL, MariaDB and MySQL", code="unknown-database"
        )
    return _KNOWN[name]()
