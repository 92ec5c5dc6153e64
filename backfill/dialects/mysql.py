"""MariaDB and MySQL: READ COMMITTED, so that no gap is locked, in strict mode, so that nothing is stored in part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Float,
    String,
    Table,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects.mysql import LONGTEXT
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.sql.dml import Update
from sqlalchemy.types import BINARY, NullType

from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Recordset, Shape, Verb
from backfill.dialect import Dialect, Limits, completed_in_ledger, first_quoted
from backfill.dialects.inspections import mysql as inspections
from backfill.dialects.recordsets.mysql import document, most_bytes, note_collations, takes_documents, update_from
from backfill.fault import Fault
from backfill.finding import Finding
from backfill.key import Key
from backfill.parameters import scalar

_CODES = {
    Fault.CONFLICT: (1213, 1205, 1020),
    Fault.TOO_SLOW: (1969, 3024, 1317),
    Fault.LINK: (2002, 2003, 2006, 2013, 2055, 4031, 1053, 1040, 1927),
    Fault.UNWRITABLE: (1290, 1792, 1836, 1021, 1114),
    Fault.ROW: (1048, 1062, 1153, 1264, 1265, 1292, 1301, 1366, 1406, 1451, 1452, 3819, 4025),
    Fault.SCHEMA: (1054, 1146, 1072),
}
_FAULTS = {code: fault for fault, codes in _CODES.items() for code in codes}

_STRICT = "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO"
_VERBATIM = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO"
_AT_ONCE = "SIMULTANEOUS_ASSIGNMENT"
"""MariaDB's: an UPDATE reads what was there, as the standard says, and not what it has just set in another column."""

_PINNED = ("sql_mode", "time_zone", "innodb_lock_wait_timeout")
_PINNED_MARIADB = ("max_statement_time", "idle_transaction_timeout")


class MySQL(Dialect):
    """MariaDB through PyMySQL or mysqlclient; MySQL where it is the same."""

    name = "mysql"
    title = "MariaDB"
    table_options = "ENGINE=InnoDB"

    def prepare(self, connection: Connection, limits: Limits) -> Mapping[str, Any]:
        """Note what `begin` will pin, since these settings outlive a transaction."""
        names = _pinned(connection)
        row = connection.exec_driver_sql("SELECT " + ", ".join(f"@@SESSION.{name}" for name in names)).one()
        return dict(zip(names, row, strict=True))

    def restore(self, connection: Connection, noted: Mapping[str, Any]) -> None:
        """Give the session its own settings back."""
        _assign(connection, noted)

    def begin(self, connection: Connection, limits: Limits, noted: Mapping[str, Any]) -> None:
        """Pin the settings at every batch: another user of the pool may have changed them."""
        wanted = {
            "sql_mode": _mode(connection, _STRICT),
            "time_zone": "+00:00",
            "innodb_lock_wait_timeout": max(1, round(limits.lock_seconds)),
            "max_statement_time": limits.statement_seconds,
            "idle_transaction_timeout": max(1, round(limits.idle_seconds)),  # 0 is none
        }
        _assign(connection, {name: wanted[name] for name in noted})
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.exec_driver_sql("START TRANSACTION")

    def clock(self, seconds: float = 0) -> ColumnElement[Any]:
        """UTC_TIMESTAMP to the microsecond; it is the statement's time."""
        return func.timestampadd(text("MICROSECOND"), literal(round(seconds * 1e6)), func.utc_timestamp(text("6")))

    def seconds_until(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        """By the difference in microseconds."""
        return func.timestampdiff(text("MICROSECOND"), func.utc_timestamp(text("6")), moment) / literal(1e6)

    def after(self, columns: Sequence[ColumnElement[Any]], key: Key) -> Condition:
        """Expanded: `(a, b) > (x, y)` would scan the whole index here."""
        return _beyond(columns, key, inclusive=False, descending=False)

    def upto(self, columns: Sequence[ColumnElement[Any]], key: Key) -> Condition:
        """Expanded, for the same reason."""
        return _beyond(columns, key, inclusive=True, descending=True)

    def refine(self, connection: Connection, table: Table) -> None:
        """MariaDB's JSON is LONGTEXT with a check, and DOUBLE would be read as a decimal of ten places."""
        for column in table.columns:
            if isinstance(column.type, Float):
                column.type.asdecimal = False
        if not _is_mariadb(connection):
            return
        note_collations(connection, table)
        found = connection.execute(text(_JSON_COLUMNS), {"schema": table.schema, "name": table.name}).scalars()
        documents = {clause.lower() for clause in found}
        for column in table.columns:
            if isinstance(column.type, LONGTEXT) and f"json_valid(`{column.name.lower()}`)" in documents:
                column.type = JSON()

    def structure(self, connection: Connection, table: Table) -> ColumnElement[str]:
        """Place, name and type of each column."""
        return scalar(_STRUCTURE, structure_of=table.name, structure_in=table.schema)

    def json_null(self, column: Column[Any]) -> Condition:
        """MariaDB's JSON is text; MySQL's is made text by the comparison."""
        return func.json_type(type_coerce(column, String)) == "NULL"

    def comparable(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Bytes decide, whatever the column's collation says; JSON is compared in its normal form."""
        if isinstance(column.type, JSON):
            return cast(func.json_extract(column, "$"), BINARY)
        return cast(column, BINARY) if isinstance(column.type, String) else column

    def identical(self, columns: Sequence[ColumnElement[Any]], others: Sequence[ColumnElement[Any]]) -> Condition:
        """As values, since FLOAT shows fewer digits than it holds; and as bytes, whatever the collation says."""
        pairs = [(type_coerce(a, NullType()), type_coerce(b, NullType())) for a, b in zip(columns, others, strict=True)]
        same = (a.is_not_distinct_from(b) & cast(a, BINARY).is_not_distinct_from(cast(b, BINARY)) for a, b in pairs)
        return and_(*same)

    def copying(self, values: Mapping[Column[Any], Column[Any]], is_same: Condition, meant: Condition) -> Update:
        """By subqueries: a join waits for rows that others hold and that it does not mean."""
        (table,) = {column.table for column in values}
        held = {column.name: select(value).where(is_same).scalar_subquery() for column, value in values.items()}
        return update(table).where(meant).values(held)

    @contextmanager
    def verbatim(self, connection: Connection) -> Iterator[None]:
        """Zero dates are dates, and 0 is a number and no wish for the next one."""
        _assign(connection, {"sql_mode": _mode(connection, _VERBATIM)})
        yield
        _assign(connection, {"sql_mode": _mode(connection, _STRICT)})

    def update_rows(self, connection: Connection, table: Table, shape: Shape, rows: Recordset) -> int:
        """One UPDATE from one JSON document, or from several where one would be too long for the server."""
        rendered = document(self, connection, table, shape, rows) if takes_documents(connection) else None
        if rendered is not None and len(rendered.encode()) <= most_bytes(connection):
            return update_from(connection, table, shape, rendered)
        if rendered is None or len(rows.rows) == 1:
            return super().update_rows(connection, table, shape, rows)
        half = len(rows.rows) // 2
        halves = Recordset(rows.rows[:half]), Recordset(rows.rows[half:])
        return sum(self.update_rows(connection, table, shape, each) for each in halves)

    def estimate(self, connection: Connection, table: Table) -> int | None:
        """InnoDB's statistics, which are sampled."""
        found = connection.execute(
            text(
                "SELECT table_rows FROM information_schema.tables "
                "WHERE table_schema = coalesce(:schema, database()) AND table_name = :name"
            ),
            {"schema": table.schema, "name": table.name},
        ).scalar()
        return None if found is None else int(found)

    def identify(self, connection: Connection) -> str:
        """The database on its server."""
        return "mysql {} {}".format(*connection.exec_driver_sql("SELECT @@hostname, database()").one())

    def inspect_server(self, connection: Connection) -> Sequence[Finding]:
        """Servers that cannot be written, or that cannot log READ COMMITTED."""
        return tuple(inspections.server_findings(connection))

    def inspect_table(self, connection: Connection, table: Table, verb: Verb = Verb.UPDATE) -> Sequence[Finding]:
        """Engines without transactions, views, temporary tables and triggers."""
        return tuple(inspections.table_findings(connection, table, verb))

    def inspect_key(self, connection: Connection, table: Table, key: tuple[str, ...]) -> Sequence[Finding]:
        """ENUM and SET sort by number and compare by name: a walk by them misses rows."""
        return tuple(inspections.key_findings(table, key))

    def inspect_order(self, connection: Connection, table: Table, columns: Sequence[str]) -> Sequence[Finding]:
        """As for a key."""
        return tuple(inspections.key_findings(table, columns))

    def inspect_deletes(self, connection: Connection, table: Table) -> Sequence[Finding]:
        """Foreign keys that carry a deletion on to other rows."""
        return tuple(inspections.delete_findings(connection, table))

    def inspect_writes(self, connection: Connection, table: Table, columns: Sequence[str]) -> Sequence[Finding]:
        """Times of the last write, and foreign keys that carry a write on to other rows."""
        return tuple(inspections.write_findings(connection, table, columns))

    def offline_gate(self, name: str, refusal: str) -> str:
        """Two rows where one is wanted: error 1242, outside of a procedure the only way to fail with a reason."""
        return f"SELECT IF({completed_in_ledger(name)}, 1, (SELECT '{refusal}' UNION SELECT 'x'));"

    def named(self, error: DBAPIError) -> str:
        """The column, key or constraint in the message."""
        return first_quoted(_NAMED, error).replace(_OWN_TABLE, "")

    def classify(self, error: DBAPIError) -> tuple[Fault, str]:
        """By errno."""
        arguments = getattr(error.orig, "args", ())
        code = arguments[0] if arguments and isinstance(arguments[0], int) else 0
        if code == 0:  # PyMySQL: the link was already closed
            return (Fault.LINK if isinstance(error, InterfaceError) else Fault.UNKNOWN), type(error.orig).__name__
        return _FAULTS.get(code, Fault.UNKNOWN), str(code)


_NAMED = re.compile(
    r"^Duplicate entry .* for (key '[^']+')\Z"
    r"|^(?:Data too long|Data truncated|Out of range value|Incorrect [\w ]+ value: '.*') for (column \S+) at row \d+\Z"
    r"|^Column ('[^']+') cannot be null\Z"
    r"|^(CONSTRAINT `[^`]+`) failed for |^Check (constraint '[^']+') is violated",
    re.DOTALL,
)
"""The whole message, since a value stands in the middle of some, and other messages end with one."""

_OWN_TABLE = "``.`(temporary)`."
"""Through which the server writes what comes from a join."""


def _is_mariadb(connection: Connection) -> bool:
    return bool(getattr(connection.dialect, "is_mariadb", False))


def _pinned(connection: Connection) -> tuple[str, ...]:
    return _PINNED + _PINNED_MARIADB if _is_mariadb(connection) else _PINNED


def _mode(connection: Connection, mode: str) -> str:
    return f"{mode},{_AT_ONCE}" if _is_mariadb(connection) else mode


def _assign(connection: Connection, settings: Mapping[str, Any]) -> None:
    names = ", ".join(f"SESSION {name} = :{name}" for name in settings)
    connection.execute(text(f"SET {names}"), dict(settings))


def _beyond(columns: Sequence[ColumnElement[Any]], key: Key, *, inclusive: bool, descending: bool) -> Condition:
    """`a >= x AND (a > x OR (a = x AND b > y))`: the first part gives the index its range."""
    first, value = columns[0], key[0]
    strict: Condition = first < value if descending else first > value
    loose: Condition = first <= value if descending else first >= value
    if len(columns) == 1:
        return loose if inclusive else strict
    rest: Condition = _beyond(columns[1:], key[1:], inclusive=inclusive, descending=descending)
    return and_(loose, or_(strict, and_(first == value, rest)))


_COLUMN = "concat_ws(' ', ordinal_position, column_name, column_type, is_nullable)"
_STRUCTURE = f"""
    SELECT hex(bit_xor(CAST(conv(left(md5({_COLUMN}), 16), 16, 10) AS UNSIGNED))) FROM information_schema.columns
     WHERE table_schema = coalesce(:structure_in, database()) AND table_name = :structure_of
"""  # noqa: S608  # group_concat() would be cut off where it is too long

_JSON_COLUMNS = """
    SELECT check_clause FROM information_schema.check_constraints
     WHERE constraint_schema = coalesce(:schema, database()) AND table_name = :name
"""
