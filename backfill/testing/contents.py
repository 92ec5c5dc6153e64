"""Contents: the rows that a test's tables hold; put in, read and taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table, delete, select

from backfill.database import Database
from backfill.declaration.conditions import suggest
from backfill.errors import Refused
from backfill.rows.tables import key_of
from backfill.testing.end import Row

Tables = dict[str, Table]
Contents = Mapping[str, Sequence[Row]]
"""Rows by table, those that others refer to first."""


def put_in(database: Database, tables: Tables, contents: Contents) -> None:
    """Insert the rows, as plain Python values."""
    for name, table in tables.items():
        for row in contents[name]:
            if unknown := [column for column in row if column not in table.c]:
                hint = suggest(unknown[0], table.c.keys())
                raise Refused(
                    f"a row of {name} is given {unknown[0]}; {name} has no such column.{hint}", code="rehearse-unknown"
                )
            values = {c: database.dialect.storable(table.c[c], value) for c, value in row.items()}
            settable = {c: value for c, value in values.items() if table.c[c].computed is None}
            database.connection.execute(table.insert().values(settable))


def read(connection: Connection, tables: Tables) -> dict[str, list[Row]]:
    """All rows, in the order of their keys."""
    found: dict[str, list[Row]] = {}
    for name, table in tables.items():
        ordered = select(table).order_by(*(table.c[column] for column in key_of(table)))
        found[name] = [dict(row._mapping) for row in connection.execute(ordered)]
    return found


def take_out(connection: Connection, tables: Tables) -> None:
    """Delete all rows, those first that refer to others."""
    for table in reversed(tables.values()):
        connection.execute(delete(table))


def require_empty(connection: Connection, tables: Tables) -> None:
    """Raise Refused where a table holds rows that are not the test's."""
    for name, table in tables.items():
        if connection.execute(select(1).select_from(table).limit(1)).first() is not None:
            raise Refused(
                f"{name} has rows already, and a rehearsal empties its tables again and again: give it a database that "
                "is made for tests",
                code="rehearse-not-empty",
            )
