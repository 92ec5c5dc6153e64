"""Dialect: everything that databases do differently, behind one contract; one file a database in `dialects/`.

The contract is also the common behaviour: a database's file says only where it differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
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
    insert,
    literal_column,
    tuple_,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import Insert, Update

from backfill.declaration.conditions import Condition
from backfill.declaration.values import STORED_AS_THEY_ARE, plain
from backfill.declaration.writes import Recordset, Shape, Verb
from backfill.fault import Fault
from backfill.finding import Finding
from backfill.key import Key
from backfill.parameters import assigned, key_parameter, typed, value_parameter


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
    title: ClassVar[str]
    """As people call it."""
    has_one_writer: ClassVar[bool] = False
    """Several workers would only wait for each other."""
    table_options: ClassVar[str] = ""
    """What CREATE TABLE ... AS SELECT is told beside the columns."""

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(self, connection: Connection, limits: Limits) -> Mapping[str, Any]:
        """Note the session's own settings, to be handed to `restore` when the run lets go of the connection."""
        return {}

    def restore(self, connection: Connection, noted: Mapping[str, Any]) -> None:
        """Give the session its own settings back."""

    def begin(self, connection: Connection, limits: Limits, noted: Mapping[str, Any]) -> None:
        """Begin a transaction that writes, all settings it relies on pinned."""
        raise NotImplementedError

    def is_begun(self) -> Condition | None:
        """Whether the transaction is still the one that `begin` began; None where only a savepoint can tell."""
        return None

    def end(self, connection: Connection, verb: str) -> None:
        """COMMIT or ROLLBACK what `begin` began."""
        connection.exec_driver_sql(verb)

    def rest(self, batch_seconds: float) -> float:
        """Seconds to leave to others after a batch that took so long; row locks leave them their way anyhow."""
        return 0.0

    def vacuum(self, connection: Connection, table: Table) -> None:
        """Let the room of dead row versions be used again, where this database leaves them; outside a transaction."""

    def clock(self, seconds: float = 0) -> ColumnElement[Any]:
        """The database's clock in UTC at the time of the statement, so many seconds ahead."""
        raise NotImplementedError

    def seconds_until(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        """Seconds from the database's clock until `moment`."""
        raise NotImplementedError

    # ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────

    def after(self, columns: Sequence[ColumnElement[Any]], key: Key) -> Condition:
        """Rows behind `key`, in a form for which this database uses the key's index."""
        return _row(columns) > _row(typed(columns, key))

    def upto(self, columns: Sequence[ColumnElement[Any]], key: Key) -> Condition:
        """Rows up to and including `key`."""
        return _row(columns) <= _row(typed(columns, key))

    def among(self, columns: Sequence[ColumnElement[Any]], keys: Sequence[Key]) -> Condition:
        """Rows whose key is one of these."""
        if len(columns) == 1:
            return columns[0].in_([key[0] for key in keys])
        return tuple_(*columns).in_(keys)

    # ── columns ─────────────────────────────────────────────────────────────────────────────────────────────────

    def refine(self, connection: Connection, table: Table) -> None:
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

    def storables(self, column: Column[Any], values: Sequence[Any]) -> Sequence[Any]:
        """Many values as the column's type takes them; of most kinds there is nothing to do for any."""
        if set(map(type, values)) <= STORED_AS_THEY_ARE and not isinstance(column.type, JSON):
            return values
        return [self.storable(column, value) for value in values]

    def structure(self, connection: Connection, table: Table) -> ColumnElement[str]:
        """Something short that is another after a column was altered; anything at all where there is no table."""
        raise NotImplementedError

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────

    def lock(self, statement: Select[Any]) -> Select[Any]:
        """The same rows, locked against every other writer until the transaction ends."""
        return statement.with_for_update()

    def hold(self, connection: Connection, statement: Select[Any]) -> None:
        """Lock the rows without taking them out of the database."""
        connection.execute(self.lock(statement.with_only_columns(literal_column("1")))).close()

    def insert(self, table: Table) -> Insert:
        """INSERT, in this database's own words."""
        return insert(table)

    def skip_conflicts(self, statement: Insert, match: Sequence[str]) -> Insert:
        """Let rows pass that another session inserts at the same moment; `match` is held unique by the database."""
        return statement

    def given(self, column: Column[Any], value: ColumnElement[Any]) -> ColumnElement[Any]:
        """A value as a column of a SELECT whose rows go into `column`."""
        return value

    def walked(self, column: Column[Any]) -> ColumnElement[Any]:
        """The column as a place in a walk, whose values come back exactly as they were given out."""
        return column

    def differs(self, column: ColumnElement[Any], value: ColumnElement[Any]) -> Condition:
        """Whether writing the value would change the column."""
        return self.comparable(column).is_distinct_from(self.comparable(value))

    def identical(self, columns: Sequence[ColumnElement[Any]], others: Sequence[ColumnElement[Any]]) -> Condition:
        """Whether two rows hold the very same bytes, column by column; NULL is the same as NULL."""
        raise NotImplementedError

    def copying(self, values: Mapping[Column[Any], Column[Any]], is_same: Condition, meant: Condition) -> Update:
        """UPDATE of the meant rows of one table by columns of the same rows in another."""
        (table,) = {column.table for column in values}
        return update(table).where(is_same, meant).values({column.name: value for column, value in values.items()})

    def verbatim(self, connection: Connection) -> AbstractContextManager[None]:
        """Let values be copied that were stored before today's settings, which would not let them in."""
        return nullcontext()

    def matching(self, table: Table, shape: Shape) -> Condition:
        """The rows that a shape means, by parameters for the values that they are matched by."""
        matched = [self.walked(table.c[name]) if shape.is_own else table.c[name] for name in shape.match]
        given = [column == bindparam(key_parameter(n)) for n, column in enumerate(matched)]
        return and_(*given, *(table.c[name].is_(None) for name in shape.absent))

    def parameters(self, table: Table, shape: Shape, rows: Recordset) -> list[dict[str, Any]]:
        """The rows as parameters of one statement."""
        matched = [(key_parameter(n), table.c[name]) for n, name in enumerate(shape.match)]
        given = [(value_parameter(n), table.c[name]) for n, name in enumerate(shape.columns)]
        return [
            {
                name: value if shape.is_own else self.storable(column, value)
                for (name, column), value in zip(matched, match, strict=True)
            }
            | {name: self.storable(column, value) for (name, column), value in zip(given, values, strict=True)}
            for match, values in rows.rows
        ]

    def storable_columns(self, table: Table, shape: Shape, rows: Recordset) -> list[Sequence[Any]]:
        """What the rows hold, column by column: first those matched by, then those given."""
        columns = [table.c[name] for name in (*shape.match, *shape.columns)]
        found = zip(*(match + values for match, values in rows.rows), strict=True)
        is_as_read = len(shape.match) if shape.is_own else 0
        return [
            values if place < is_as_read else self.storables(column, values)
            for place, (column, values) in enumerate(zip(columns, found, strict=True))
        ]

    def update_by_match(self, table: Table, shape: Shape) -> Update:
        """UPDATE of one row by parameters."""
        return update(table).where(self.matching(table, shape)).values(assigned(table, shape))

    def update_rows(self, connection: Connection, table: Table, shape: Shape, rows: Recordset) -> int:
        """Write a recordset by match; gives the number of rows found. This is the exact path, one UPDATE a row."""
        return connection.execute(self.update_by_match(table, shape), self.parameters(table, shape, rows)).rowcount

    # ── the live table ──────────────────────────────────────────────────────────────────────────────────────────

    def estimate(self, connection: Connection, table: Table) -> int | None:
        """About how many rows the table has, by statistics and never by counting; None if nothing is known."""
        raise NotImplementedError

    def inspect_server(self, connection: Connection) -> Sequence[Finding]:
        """What speaks against running on this server or session."""
        return ()

    def inspect_table(self, connection: Connection, table: Table, verb: Verb = Verb.UPDATE) -> Sequence[Finding]:
        """What speaks against walking this table, or doing this to its rows."""
        return ()

    def inspect_key(self, connection: Connection, table: Table, key: tuple[str, ...]) -> Sequence[Finding]:
        """What speaks against walking the table by this key."""
        return ()

    def inspect_order(self, connection: Connection, table: Table, columns: Sequence[str]) -> Sequence[Finding]:
        """What speaks against walking the table by columns that are not its key."""
        return ()

    def inspect_deletes(self, connection: Connection, table: Table) -> Sequence[Finding]:
        """What speaks against deleting rows: others that go with them."""
        return ()

    def inspect_writes(self, connection: Connection, table: Table, columns: Sequence[str]) -> Sequence[Finding]:
        """What speaks against writing these columns."""
        return ()

    def identify(self, connection: Connection) -> str:
        """Which server this is, so that a run can tell when it wakes up on another one."""
        raise NotImplementedError

    # ── scripts for `alembic --sql` ─────────────────────────────────────────────────────────────────────────────

    def offline_gate(self, name: str, refusal: str) -> str:
        """SQL that fails unless the ledger says that `name` is completed, with these words in a literal."""
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

    def named(self, error: DBAPIError) -> str:
        """The constraint or column that the database names, never a value; empty if it names none."""
        return ""


def _row(values: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    return values[0] if len(values) == 1 else tuple_(*values)


def first_quoted(pattern: re.Pattern[str], error: DBAPIError) -> str:
    """The column or constraint that a message names in a place where no value can stand; empty if it names none."""
    found = pattern.search(str(next(reversed(getattr(error.orig, "args", ())), "")))
    return found.group(found.lastindex or 0) if found else ""


def completed_in_ledger(name: str) -> str:
    """SQL condition: the newest run of `name` is completed."""
    newest = f"SELECT max(id) FROM backfill_run WHERE name = '{name}'"  # noqa: S608  # a name is one word
    return f"EXISTS (SELECT 1 FROM backfill_run WHERE id = ({newest}) AND status = 'completed')"  # noqa: S608
