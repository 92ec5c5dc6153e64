"""SQLite: one writer at a time, so BEGIN IMMEDIATE is the lock on every row."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    UniqueConstraint,
    and_,
    cast,
    collate,
    func,
    literal_column,
    select,
    text,
    type_coerce,
)
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType, String

from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Recordset, Shape, Verb
from backfill.dialect import Dialect, Limits, completed_in_ledger, first_quoted
from backfill.dialects.inspections import sqlite as inspections
from backfill.dialects.recordsets.sqlite import update_in_turn
from backfill.fault import Fault
from backfill.finding import Finding
from backfill.parameters import scalar

_FAULTS = {
    sqlite3.SQLITE_BUSY: Fault.CONFLICT,
    sqlite3.SQLITE_LOCKED: Fault.CONFLICT,
    sqlite3.SQLITE_INTERRUPT: Fault.TOO_SLOW,
    sqlite3.SQLITE_READONLY: Fault.UNWRITABLE,
    sqlite3.SQLITE_FULL: Fault.UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: Fault.UNWRITABLE,
    sqlite3.SQLITE_IOERR: Fault.LINK,
    sqlite3.SQLITE_CONSTRAINT: Fault.ROW,
    sqlite3.SQLITE_MISMATCH: Fault.ROW,
    sqlite3.SQLITE_TOOBIG: Fault.ROW,
    sqlite3.SQLITE_SCHEMA: Fault.SCHEMA,
}
_PRIMARY_CODE = 0xFF
"""SQLite's extended result codes keep the primary code in the low byte."""

_NO_TEXT = "Could not decode to UTF-8"
"""How sqlite3 says that bytes in a column of text are none; it has no code for it."""

_SHARE_OF_REST = 0.1

_CLOCK = "%Y-%m-%d %H:%M:%f"

_ROW_NUMBER = """
    SELECT max(name) FROM pragma_table_info(:table, :schema) WHERE pk > 0
    HAVING count(*) = 1 AND upper(max(type)) = 'INTEGER'
"""


class SQLite(Dialect):
    """SQLite through sqlite3 or aiosqlite, in each of the driver's transaction modes."""

    name = "sqlite"
    title = "SQLite"
    has_one_writer = True

    def prepare(self, connection: Connection, limits: Limits) -> Mapping[str, Any]:
        """Wait for other writers as long as the limits say, instead of the file's own setting."""
        connection.exec_driver_sql("PRAGMA schema_version")  # a file that is no database says so here
        noted = {"busy_timeout": connection.exec_driver_sql("PRAGMA busy_timeout").scalar()}
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(limits.lock_seconds * 1000)}")
        return noted

    def restore(self, connection: Connection, noted: Mapping[str, Any]) -> None:
        """Give the file's own waiting time back."""
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(noted['busy_timeout'])}")

    def begin(self, connection: Connection, limits: Limits, noted: Mapping[str, Any]) -> None:
        """Take the write lock before anything is read."""
        if _driver(connection).in_transaction:  # SQLAlchemy's "begin" event recipe, or autocommit=False
            connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def end(self, connection: Connection, verb: str) -> None:
        """End the transaction, and leave the driver in one where it believes to be always in one."""
        if verb == "ROLLBACK" and not _driver(connection).in_transaction:
            return  # some errors make SQLite roll back by itself
        connection.exec_driver_sql(verb)
        if getattr(_driver(connection), "autocommit", None) is False:
            connection.exec_driver_sql("BEGIN")

    def rest(self, batch_seconds: float) -> float:
        """A gap for other writers, who look for one again and again: without it they would wait for the end.

        SQLite cannot tell whether anybody waits, and nobody is woken: what counts is the share of the time in which the
        lock can be had, however short the gaps are.
        """
        return batch_seconds * _SHARE_OF_REST

    def clock(self, seconds: float = 0) -> ColumnElement[Any]:
        """UTC as text, in the form in which SQLAlchemy keeps a DateTime."""
        return func.strftime(_CLOCK, "now", f"{seconds:+.3f} seconds")

    def seconds_until(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        """By Julian days, which are exact to the millisecond."""
        return (func.julianday(cast(moment, String)) - func.julianday("now")) * 86400.0

    def refine(self, connection: Connection, table: Table) -> None:
        """Add what was said as `VARCHAR(9) UNIQUE` beside a column, which SQLAlchemy reads only beside a bare type.

        An INTEGER PRIMARY KEY is the row's number, and so never NULL, though nothing says so.
        """
        found = connection.execute(
            text("SELECT name FROM pragma_index_list(:table, :schema) WHERE origin = 'u' ORDER BY seq"),
            {"table": table.name, "schema": table.schema or "main"},
        )
        known = {frozenset(c.columns.keys()) for c in table.constraints if isinstance(c, UniqueConstraint)}
        for (index,) in found.all():
            columns = connection.execute(
                text("SELECT name FROM pragma_index_info(:index, :schema) ORDER BY seqno"),
                {"index": index, "schema": table.schema or "main"},
            )
            names = [name for (name,) in columns]
            if frozenset(names) not in known:
                table.append_constraint(UniqueConstraint(*names))
        known_as = {"table": table.name, "schema": table.schema or "main"}
        for name in connection.execute(text(_ROW_NUMBER), known_as).scalars():
            table.c[name].nullable = False

    def structure(self, connection: Connection, table: Table) -> ColumnElement[str]:
        """The counter of all changes of the schema, this table's among them."""
        return scalar("SELECT CAST(schema_version AS TEXT) FROM pragma_schema_version")

    def json_null(self, column: Column[Any]) -> Condition:
        """JSON is text here, so JSON null is the word."""
        return cast(column, String) == "null"

    def comparable(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Bytes decide, whatever the column's collation says."""
        return column.collate("BINARY") if isinstance(column.type, String) else column

    def identical(self, columns: Sequence[ColumnElement[Any]], others: Sequence[ColumnElement[Any]]) -> Condition:
        """By bytes and storage class: 1, 1.0 and '1' differ."""
        pairs = [(type_coerce(a, NullType()), type_coerce(b, NullType())) for a, b in zip(columns, others, strict=True)]
        same = (collate(a, "BINARY").is_not_distinct_from(b) & (func.typeof(a) == func.typeof(b)) for a, b in pairs)
        return and_(*same)

    def lock(self, statement: Select[Any]) -> Select[Any]:
        """Nothing to add: BEGIN IMMEDIATE holds every row."""
        return statement

    def hold(self, connection: Connection, statement: Select[Any]) -> None:
        """Nothing to do, for the same reason."""

    def insert(self, table: Table) -> Insert:
        """With ON CONFLICT."""
        return insert(table)

    def skip_conflicts(self, statement: Any, match: Sequence[str]) -> Insert:
        """ON CONFLICT DO NOTHING."""
        skipping: Insert = statement.on_conflict_do_nothing(index_elements=list(match))
        return skipping

    def walked(self, column: Column[Any]) -> ColumnElement[Any]:
        """As the driver gives it: a declared type binds nothing in SQLite."""
        return type_coerce(column, NullType())

    def update_rows(self, connection: Connection, table: Table, shape: Shape, rows: Recordset) -> int:
        """As tuples for one statement; what cannot go so takes the common path."""
        found = update_in_turn(self, connection, table, shape, rows)
        return super().update_rows(connection, table, shape, rows) if found is None else found

    def estimate(self, connection: Connection, table: Table) -> int | None:
        """The span of row ids, filled as densely as at its ends: exact without gaps, and where there are few rows."""
        try:
            first, behind, last, before = connection.execute(select(*_ends(table))).one()
        except DBAPIError:  # WITHOUT ROWID
            return None
        if behind is None:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        density: float = (_AT_AN_END / (behind - first) + _AT_AN_END / (last - before)) / 2
        return min(1 + round(int(last - first) * density), _MOST_ROWS)

    def identify(self, connection: Connection) -> str:
        """The file."""
        return f"sqlite {inspections.file_of(connection) or ':memory:'}"

    def inspect_server(self, connection: Connection) -> Sequence[Finding]:
        """Journals that cannot roll back, and files that are read-only or on a network drive."""
        return tuple(inspections.server_findings(connection))

    def inspect_table(self, connection: Connection, table: Table, verb: Verb = Verb.UPDATE) -> Sequence[Finding]:
        """Attached files, views, virtual and temporary tables."""
        return tuple(inspections.table_findings(connection, table, verb))

    def inspect_key(self, connection: Connection, table: Table, key: tuple[str, ...]) -> Sequence[Finding]:
        """SQLite lets a key hold NULL and mixed types: rows that a walk by that key would miss."""
        return tuple(inspections.key_findings(connection, table, key))

    def inspect_deletes(self, connection: Connection, table: Table) -> Sequence[Finding]:
        """Foreign keys that carry a deletion on to other rows."""
        return tuple(inspections.delete_findings(connection, table))

    def inspect_writes(self, connection: Connection, table: Table, columns: Sequence[str]) -> Sequence[Finding]:
        """Foreign keys that carry a write on to other rows."""
        return tuple(inspections.write_findings(connection, table, columns))

    def offline_gate(self, name: str, refusal: str) -> str:
        """Malformed JSON, which fails where the script is run with `sqlite3 -bail`."""
        return f"SELECT CASE WHEN {completed_in_ledger(name)} THEN 1 ELSE json('{refusal}') END;"

    def classify(self, error: DBAPIError) -> tuple[Fault, str]:
        """By sqlite_errorcode; a missing table or column has only the general code, and is told by its wording."""
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code is None:
            is_value = isinstance(error.orig, OverflowError | UnicodeError) or str(error.orig).startswith(_NO_TEXT)
            return Fault.ROW if is_value else Fault.UNKNOWN, type(error.orig).__name__
        fault = _FAULTS.get(code & _PRIMARY_CODE, Fault.UNKNOWN)
        if str(error.orig).startswith(("no such table", "no such column")):
            fault = Fault.SCHEMA
        return fault, str(getattr(error.orig, "sqlite_errorname", code))

    def named(self, error: DBAPIError) -> str:
        """The columns or the constraint after the colon; a trigger's message is its author's, whatever it says."""
        is_raised = getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_CONSTRAINT_TRIGGER
        return "" if is_raised else first_quoted(_NAMED, error)


_AT_AN_END = 10_000
"""Rows between which the gaps are looked at."""

_MOST_ROWS = 20_000_000_000_000
"""That a file holds; see "Implementation Limits For SQLite"."""


def _ends(table: Table) -> Iterator[ColumnElement[Any]]:
    """Of each end of a table the row id, and the one so many rows further in."""
    rowid: ColumnElement[int] = literal_column(_free_name(table))
    for n, end in enumerate((rowid.asc(), rowid.desc())):
        rows = select(rowid).select_from(table).order_by(end).limit(1)
        for offset in (0, _AT_AN_END):
            yield rows.offset(offset).scalar_subquery().label(f"end_{n}_{offset}")


def _free_name(table: Table) -> str:
    """One of the names that a row id goes by, of which a column hides each that it bears itself."""
    columns = {column.name.lower() for column in table.columns}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in columns), "rowid")


_NAMED = re.compile(r"(?<=constraint failed: )[\w., ]+$")


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection
