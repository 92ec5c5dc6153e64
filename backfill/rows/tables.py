"""Tables: the tables of a database as they are, each reflected once."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import JSON, ClauseElement, MetaData, Table, UniqueConstraint, inspect, select
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.sql.selectable import TableClause

from backfill.database import Database
from backfill.declaration.conditions import suggest
from backfill.errors import Refused

STRUCTURE = "backfill_structure"
"""In a table's `info`: what it looked like when it was reflected."""


class NoTable(Refused):
    """There is no table of this name."""


class Tables:
    """Reflects tables by name, with types corrected where reflection cannot see them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._found: dict[str, Table | None] = {}

    def find(self, name: str) -> Table:
        """The table called `"table"` or `"schema.table"`.

        Raises:
            NoTable: there is none, with the nearest name.
        """
        schema, _, bare = name.rpartition(".")
        table = self._lookup(bare, schema or None)
        if table is None:
            with self._database.faults():
                known = inspect(self._database.connection).get_table_names(schema=schema or None)
            raise NoTable(f"there is no table {name} in this database.{suggest(name, known)}")
        return table

    def find_light(self, light: TableClause) -> Table | None:
        """The live table that `table("t", ...)` in an expression names; None if there is none."""
        return self._lookup(light.name, light.schema)

    def _lookup(self, name: str, schema: str | None) -> Table | None:
        known_as = f"{schema}.{name}" if schema else name
        if known_as not in self._found:
            with self._database.faults():
                self._found[known_as] = self._reflect(name, schema)
        return self._found[known_as]

    def _reflect(self, name: str, schema: str | None) -> Table | None:
        connection, dialect = self._database.connection, self._database.dialect
        bare = Table(name, MetaData(), schema=schema)
        structure = connection.scalar(select(dialect.structure(connection, bare)))  # before it is looked at
        try:
            table = Table(name, MetaData(), autoload_with=connection, schema=schema, resolve_fks=False)
        except NoSuchTableError:
            return None
        table.info[STRUCTURE] = structure
        dialect.refine(connection, table)
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type.none_as_null = True  # None is SQL NULL here, also in a JSON column
        return table


def key_of(table: Table) -> tuple[str, ...]:
    """The primary key, else the narrowest unique constraint or index over NOT NULL columns; empty without one."""
    if table.primary_key.columns:
        return tuple(str(column.name) for column in table.primary_key)  # SQLAlchemy's own kind of str is slow as a key
    sound = [columns for columns in unique_columns(table) if not any(table.c[name].nullable for name in columns)]
    narrowest_first = sorted(sound, key=lambda columns: (len(columns), columns))
    return tuple(narrowest_first[0]) if narrowest_first else ()


def stored_columns(table: Table) -> tuple[str, ...]:
    """The columns that a row is made of; the database computes the others."""
    return tuple(str(column.name) for column in table.columns if column.computed is None)


def unique_columns(table: Table) -> list[Sequence[str]]:
    """Columns whose values together are unique for all rows of the table, in each way there is."""
    constraints = [list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint)]
    plain = (i for i in table.indexes if i.unique and not any(map(_is_said, i.dialect_kwargs.values())))
    indexes = [list(i.columns) for i in plain if len(i.columns) == len(tuple(i.expressions))]  # of columns alone
    keys = [list(table.primary_key.columns)]
    return [[str(column.name) for column in columns] for columns in keys + constraints + indexes if columns]


def _is_said(option: object) -> bool:
    """Whether an index has this option: a partial index's condition is an expression, which has no truth of its own."""
    return isinstance(option, ClauseElement) or bool(option)
