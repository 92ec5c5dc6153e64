"""PostgreSQL: row locks under READ COMMITTED, and a batch written as one UPDATE from a recordset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Select,
    String,
    Table,
    and_,
    cast,
    func,
    literal_column,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.types import UserDefinedType

from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Recordset, Shape, Verb
from backfill.dialect import Dialect, Limits, completed_in_ledger
from backfill.dialects.inspections import postgresql as inspections
from backfill.dialects.recordsets.postgresql import arrived, note_types, travels
from backfill.fault import Fault
from backfill.finding import Finding
from backfill.key import Key
from backfill.parameters import scalar, typed

_LONGEST_NULL = 64
"""Bytes that JSON null can take with its spaces; `json` keeps them as they were written."""

_FAULTS = {
    "40001": Fault.CONFLICT,
    "40P01": Fault.CONFLICT,
    "55P03": Fault.CONFLICT,
    "57014": Fault.TOO_SLOW,
    "25P03": Fault.LINK,  # the idle limit ended the session, and the transaction with it
    "57P05": Fault.LINK,
    "57P01": Fault.LINK,
    "57P02": Fault.LINK,
    "57P03": Fault.LINK,
    "25006": Fault.UNWRITABLE,
    "53100": Fault.UNWRITABLE,
    "53200": Fault.UNWRITABLE,
    "53300": Fault.LINK,  # too many connections: one will be free again
    "42703": Fault.SCHEMA,
    "42P01": Fault.SCHEMA,
    "42804": Fault.SCHEMA,
    "0A000": Fault.SCHEMA,  # cached plan must not change result type
}
_DENIED = "42501"
_RAISED = "exec_stmt_raise"
"""What in the server reports RAISE of PL/pgSQL."""

_MEANINGS = {
    "22001": "too long for its column",
    "22003": "out of its column's range",
    "22P02": "not as its column's type reads it",
    "22P05": "a character that cannot be stored",
    "22021": "a character that cannot be stored",
}
"""Of errors that name no column."""

_PREPARES_AFTER = "prepare_threshold"
"""psycopg's name for how often it sends a statement before it prepares it."""

_FAULT_CLASSES = {"08": Fault.LINK, "22": Fault.ROW, "23": Fault.ROW}


class PostgreSQL(Dialect):
    """PostgreSQL through psycopg, psycopg2 or asyncpg."""

    name = "postgresql"
    title = "PostgreSQL"

    def prepare(self, connection: Connection, limits: Limits) -> Mapping[str, Any]:
        """Keep the search path that was handed over, which may name the tenant; prepare no statements in a pool.

        A pooler tells its clients a process number of its own making. Behind it the next transaction may be another
        session's, which does not know what psycopg has prepared in this one.
        """
        asked = "SELECT current_setting('search_path'), pg_backend_pid()"
        search_path, process = connection.exec_driver_sql(asked).one()
        driver: Any = connection.connection.driver_connection
        prepares_after = getattr(driver, _PREPARES_AFTER, None)
        if prepares_after is not None and driver.info.backend_pid != process:
            driver.prepare_threshold = None
        return {"search_path": search_path, _PREPARES_AFTER: prepares_after}

    def restore(self, connection: Connection, noted: Mapping[str, Any]) -> None:
        """As the driver was."""
        if noted.get(_PREPARES_AFTER) is not None:
            setattr(connection.connection.driver_connection, _PREPARES_AFTER, noted[_PREPARES_AFTER])

    def begin(self, connection: Connection, limits: Limits, noted: Mapping[str, Any]) -> None:
        """Pin by SET LOCAL only, so that nothing outlives the batch, behind a pooler neither."""
        statements = ("BEGIN ISOLATION LEVEL READ COMMITTED", _pinning(limits, noted["search_path"]))
        for sent in statements if connection.dialect.driver == "asyncpg" else ("; ".join(statements),):
            connection.exec_driver_sql(sent, execution_options={"no_parameters": True})

    def is_begun(self) -> Condition:
        """A setting of the transaction's own ends with it."""
        return _IS_BEGUN

    def vacuum(self, connection: Connection, table: Table) -> None:
        """Autovacuum looks once a minute: a run doubles the table before it comes. Where it is there, it is enough."""
        connection.exec_driver_sql(f"VACUUM (SKIP_LOCKED, TRUNCATE false) {_qualified(connection, table)}")

    def clock(self, seconds: float = 0) -> ColumnElement[Any]:
        """clock_timestamp(), since now() stands still within a transaction."""
        interval = func.make_interval(0, 0, 0, 0, 0, 0, float(seconds))
        return func.timezone("UTC", func.clock_timestamp() + interval)

    def seconds_until(self, moment: ColumnElement[Any]) -> ColumnElement[Any]:
        """By the epoch of the difference."""
        return func.date_part("epoch", moment - self.clock())

    def refine(self, connection: Connection, table: Table) -> None:
        """Note how each column's values travel."""
        note_types(connection, table, _qualified(connection, table))

    def structure(self, connection: Connection, table: Table) -> ColumnElement[str]:
        """Number, name and type of each column."""
        return scalar(_STRUCTURE, structure_of=_qualified(connection, table))

    def json_null(self, column: Column[Any]) -> Condition:
        """Only what is small is looked into, since to unpack a large document takes longer than all the rest."""
        type_of = func.jsonb_typeof if isinstance(column.type, JSONB) else func.json_typeof
        return and_(func.pg_column_size(column) < _LONGEST_NULL, type_of(column) == "null")

    def comparable(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """`json` compares as jsonb; text compares by bytes, whatever its collation says."""
        if isinstance(column.type, JSON):
            return cast(column, JSONB)
        return column.collate("C") if isinstance(column.type, String) else column

    def identical(self, columns: Sequence[ColumnElement[Any]], others: Sequence[ColumnElement[Any]]) -> Condition:
        """By the operator that compares records as they are stored: 1.0 and 1.10 differ, and `json` has no other."""
        same: Condition = cast(func.row(*columns), _Record).bool_op("*=")(cast(func.row(*others), _Record))
        return same

    def lock(self, statement: Select[Any]) -> Select[Any]:
        """FOR NO KEY UPDATE: keys are never written, so rows that refer to these stay insertable."""
        return statement.with_for_update(key_share=True)

    def hold(self, connection: Connection, statement: Select[Any]) -> None:
        """Counted where they are: a subquery whose rows are locked is not merged into the query around it."""
        locked = self.lock(statement.with_only_columns(literal_column("1"))).subquery("locked")
        connection.execute(select(func.count()).select_from(locked))

    def insert(self, table: Table) -> Insert:
        """With ON CONFLICT."""
        return insert(table)

    def skip_conflicts(self, statement: Any, match: Sequence[str]) -> Insert:
        """ON CONFLICT DO NOTHING."""
        skipping: Insert = statement.on_conflict_do_nothing(index_elements=list(match))
        return skipping

    def given(self, column: Column[Any], value: ColumnElement[Any]) -> ColumnElement[Any]:
        """A parameter in a SELECT list is text unless its type is said."""
        return cast(value, column.type)

    def update_rows(self, connection: Connection, table: Table, shape: Shape, rows: Recordset) -> int:
        """One UPDATE from one recordset; values that would not arrive exactly take the exact path."""
        columns = [table.c[name] for name in (*shape.match, *shape.columns)]
        if not (rows.is_sorted and travels(columns, rows)):
            return super().update_rows(connection, table, shape, rows)
        keys = [table.c[name] for name in shape.match]
        with arrived(connection, columns, rows) as given:
            statement = (
                update(table)
                .where(*(key == given.c[key.name] for key in keys))
                .where(self.between(keys, rows.rows[0][0], rows.rows[-1][0]))
                .values({name: given.c[name] for name in shape.columns})
            )
            return connection.execute(statement).rowcount

    def between(self, columns: Sequence[ColumnElement[Any]], first: Key, last: Key) -> Condition:
        """The key range again: without it the planner may merge-join from the start of the index, batch for batch."""
        return tuple_(*columns).between(tuple_(*typed(columns, first)), tuple_(*typed(columns, last)))

    def estimate(self, connection: Connection, table: Table) -> int | None:
        """The planner's own figure; None before the first ANALYZE."""
        found = connection.execute(
            text("SELECT sum(reltuples) FROM pg_class WHERE oid = CAST(:name AS regclass) AND reltuples >= 0"),
            {"name": _qualified(connection, table)},
        ).scalar()
        return None if found is None else int(found)

    def identify(self, connection: Connection) -> str:
        """The database, and the moment its server first took part in this cluster's history."""
        return f"postgresql {connection.exec_driver_sql('SELECT current_database()').scalar()}"

    def inspect_server(self, connection: Connection) -> Sequence[Finding]:
        """Standbys, and sessions that are read-only by default."""
        return tuple(inspections.server_findings(connection))

    def inspect_table(self, connection: Connection, table: Table, verb: Verb = Verb.UPDATE) -> Sequence[Finding]:
        """Views, foreign, unlogged and temporary tables, rules, row security, and triggers on UPDATE."""
        return tuple(inspections.table_findings(connection, table, verb))

    def inspect_key(self, connection: Connection, table: Table, key: tuple[str, ...]) -> Sequence[Finding]:
        """Indexes and collations under which a walk by key is not to be trusted."""
        return tuple(inspections.key_findings(connection, table, key))

    def inspect_deletes(self, connection: Connection, table: Table) -> Sequence[Finding]:
        """Foreign keys that carry a deletion on to other rows."""
        return tuple(inspections.delete_findings(connection, table))

    def inspect_writes(self, connection: Connection, table: Table, columns: Sequence[str]) -> Sequence[Finding]:
        """Partition columns, and foreign keys that carry a write on to other rows."""
        return tuple(inspections.write_findings(connection, table, columns))

    def offline_gate(self, name: str, refusal: str) -> str:
        """A DO block that raises."""
        return (
            f"DO $$ BEGIN IF NOT {completed_in_ledger(name)} THEN "
            f"RAISE EXCEPTION '{refusal.replace('%', '%%')}'; END IF; END $$;"
        )

    def classify(self, error: DBAPIError) -> tuple[Fault, str]:
        """By SQLSTATE; without one the link broke before the server could say anything."""
        code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
        if code is None:
            return (Fault.LINK if error.connection_invalidated else _without_code(error)), type(error.orig).__name__
        return _FAULTS.get(code) or _FAULT_CLASSES.get(code[:2], Fault.UNKNOWN), code

    def named(self, error: DBAPIError) -> str:
        """By the fields of the server's report; what they do not tell, by what the code means.

        What a function of the application raises may hold values in any field.
        """
        report = getattr(error.orig, "diag", None)
        code = getattr(report, "sqlstate", None)
        if getattr(report, "source_function", None) == _RAISED:
            return ""
        if code == _DENIED:
            return str(report.message_primary)  # type: ignore[union-attr]  # names an object, and no more
        if code in _MEANINGS:
            return _MEANINGS[code]
        found = {kind: getattr(report, f"{kind}_name", None) for kind in ("table", "column", "constraint")}
        return ", ".join(f"{kind} {name}" for kind, name in found.items() if name)


_BEGUN = "backfill.begun"
_IS_BEGUN: Condition = func.current_setting(_BEGUN, True) == "yes"

_STRUCTURE = """
    SELECT md5(string_agg(concat_ws(' ', attnum, attname, atttypid, atttypmod, attnotnull), ',' ORDER BY attnum))
      FROM pg_attribute WHERE attrelid = to_regclass(:structure_of) AND attnum > 0 AND NOT attisdropped
"""


class _Record(UserDefinedType[Any]):
    """A row as one value; without the cast, two rows would be compared column by column."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name."""
        return "record"


@lru_cache
def _pinning(limits: Limits, search_path: str) -> str:
    """The settings of a batch, for its transaction alone; made once, since every batch asks for the same."""
    settings = {
        "lock_timeout": f"{int(limits.lock_seconds * 1000)}ms",
        "statement_timeout": f"{int(limits.statement_seconds * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{int(limits.idle_seconds * 1000)}ms",
        "search_path": search_path.replace("'", "''"),
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        _BEGUN: "yes",
    }
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())


def _without_code(error: DBAPIError) -> Fault:
    if isinstance(error, DataError):
        return Fault.ROW
    return Fault.LINK if isinstance(error, OperationalError | InterfaceError) else Fault.UNKNOWN


def _qualified(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)
