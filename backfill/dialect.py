"""Dialect: everything that databases do differently, behind one contract; one file a database in `dialects/`.

The contract is also the common behaviour: a database's file says only where it differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic_core import to_jsonable_python
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError

from backfill.declaration.changes import Recordset
from backfill.declaration.conditions import Condition
from backfill.declaration.values import plain
from backfill.fault import Fault
from backfill.finding import Finding
from backfill.key import Key


@dataclass(frozen=True)
class Limits:
    """How long one statement of a batch may take, in seconds."""

    lock_seconds: float = 2
    """Waiting for a lock that somebody else holds."""
    statement_seconds: float = 20
    """Running at all."""
    idle_seconds: float = 60
    """Holding locks while the client does nothing: the server ends a frozen worker's transaction after it."""


class Dialect:
    """What one database does in its own way."""

    name: ClassVar[str]

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, connection: Connection, limits: Limits) -> Mapping[str, Any]:
        """Note the session's own settings, to be handed to `restore` when the run lets go of the connection."""
        return {}

    def restore(self, connection: Connection, noted: Mapping[str, Any]) -> None:
        """Give the session its own settings back."""

    def begin(self, connection: Connection, limits: Limits, noted: Mapping[str, Any]) -> None:
        """Begin a transaction that will write, with every setting it relies on pinned."""
        raise NotImplementedError

    def end(self, connection: Connection, verb: str) -> None:
        """COMMIT or ROLLBACK what `begin` began."""
        connection.exec_driver_sql(verb)

    def rest(self, batch_seconds: float) -> float:
        """Seconds to leave to others after a batch that took so long; row locks leave them their way anyhow."""
        return 0.0

    def clock(self, seconds: float = 0) -> ColumnElement[Any]:
        """The database's clock in UTC at the time of the statement, so many seconds ahead."""
        raise NotImplementedError

    def seconds_until(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        """Seconds from the database's clock until `moment`."""
        raise NotImplementedError

    # ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────

    def after(self, columns: Sequence[ColumnElement[Any]], key: Key) -> Condition:
        """Rows behind `key`, in a form for which this database uses the key's index."""
        return tuple_(*columns) > tuple_(*typed(columns, key))

    def upto(self, columns: Sequence[ColumnElement[Any]], key: Key) -> Condition:
        """Rows up to and including `key`."""
        return tuple_(*columns) <= tuple_(*typed(columns, key))

    # ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────

    def refine(self, connection: Connection, table: Table, key: tuple[str, ...]) -> None:
        """Correct the types that reflection cannot see."""

    def missing(self, column: Column[Any]) -> Condition:
        """The rows in which the column holds nothing: NULL, and JSON null where it holds JSON."""
        if isinstance(column.type, JSON):
            return column.is_(None) | self.json_null(column)
        return column.is_(None)

    def json_null(self, column: Column[Any]) -> Condition:
        """The rows in which the column holds JSON null."""
        return column == JSON.NULL

    def comparable(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The column in a form that `IS DISTINCT FROM` works on."""
        return column

    def storable(self, column: Column[Any], value: Any) -> Any:
        """A Python value as the column's type takes it; None is SQL NULL, also in a JSON column."""
        return to_jsonable_python(value) if isinstance(column.type, JSON) else plain(value, column)

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────

    def lock(self, statement: Select[Any]) -> Select[Any]:
        """The same rows, locked against every other writer until the transaction ends."""
        return statement.with_for_update()

    def update_rows(
        self, connection: Connection, table: Table, key: tuple[str, ...], columns: tuple[str, ...], rows: Recordset
    ) -> int:
        """Write a recordset by key; gives the number of rows found. This is the exact path, one UPDATE a row."""
        statement = (
            update(table)
            .where(and_(*(table.c[name] == bindparam(f"key_{n}") for n, name in enumerate(key))))
            .values({name: bindparam(f"value_{n}", type_=table.c[name].type) for n, name in enumerate(columns)})
        )
        parameters = [
            {
                **{f"key_{n}": part for n, part in enumerate(row_key)},
                **{f"value_{n}": self.storable(table.c[columns[n]], value) for n, value in enumerate(values)},
            }
            for row_key, values in rows.rows
        ]
        return connection.execute(statement, parameters).rowcount

    # ── the live table ──────────────────────────────────────────────────────────────────────────────────────────

    def estimate(self, connection: Connection, table: Table) -> int | None:
        """About how many rows the table has, by statistics and never by counting; None if nothing is known."""
        raise NotImplementedError

    def inspect_server(self, connection: Connection) -> Sequence[Finding]:
        """What speaks against running on this server or session."""
        return ()

    def inspect_table(self, connection: Connection, table: Table) -> Sequence[Finding]:
        """What speaks against walking or writing this table."""
        return ()

    def inspect_key(self, connection: Connection, table: Table, key: tuple[str, ...]) -> Sequence[Finding]:
        """What speaks against walking the table by this key."""
        return ()

    def inspect_writes(self, connection: Connection, table: Table, columns: Sequence[str]) -> Sequence[Finding]:
        """What speaks against writing these columns."""
        return ()

    def identify(self, connection: Connection) -> str:
        """Which server this is, so that a run can tell when it wakes up on another one."""
        raise NotImplementedError

    # ── scripts for `alembic --sql` ─────────────────────────────────────────────────────────────────────────────

    def offline_gate(self, name: str) -> str:
        """SQL that fails unless the ledger says that `name` is completed."""
        raise NotImplementedError

    def offline_reset(self, name: str) -> str:
        """SQL that forgets how far `name` came."""
        return (
            f"UPDATE backfill_run SET status = 'undone', active_name = NULL "  # noqa: S608  # a name is one word
            f"WHERE name = '{name}' AND status <> 'undone';"
        )

    # ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────

    def classify(self, error: DBAPIError) -> tuple[Fault, str]:
        """The kind of failure, and the database's own code for it."""
        raise NotImplementedError


def completed_in_ledger(name: str) -> str:
    """SQL condition: the newest run of `name` is completed."""
    newest = f"SELECT max(id) FROM backfill_run WHERE name = '{name}'"  # noqa: S608  # a name is one word
    return f"EXISTS (SELECT 1 FROM backfill_run WHERE id = ({newest}) AND status = 'completed')"  # noqa: S608


def typed(columns: Sequence[ColumnElement[Any]], key: Key) -> list[Any]:
    """The key's values, bound with its columns' types."""
    return [bindparam(None, part, type_=column.type, unique=True) for column, part in zip(columns, key, strict=True)]
