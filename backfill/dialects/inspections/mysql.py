"""MariaDB and MySQL, before the first batch: engines without transactions, keys that sort unlike they compare."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, text
from sqlalchemy.dialects.mysql import ENUM, SET, TIME

from backfill.declaration.writes import Verb
from backfill.finding import Finding, consent

_OFF = frozenset({"", "0", "OFF"})


def server_findings(connection: Connection) -> Iterator[Finding]:
    """Servers and sessions that may not write, or that cannot log READ COMMITTED."""
    found: dict[str, str] = {name.lower(): value for name, value in connection.exec_driver_sql(_VARIABLES)}
    if _is_on(found, "read_only") or _is_on(found, "super_read_only"):
        yield Finding("read-only", "the server is read-only; run on the primary")
    if _is_on(found, "tx_read_only") or _is_on(found, "transaction_read_only"):
        yield Finding("read-only", "this session may not write: SET GLOBAL TRANSACTION READ WRITE, then connect again")
    if _is_on(found, "log_bin") and found.get("binlog_format") == "STATEMENT":
        yield Finding(
            "binlog-format",
            "binlog_format is STATEMENT, which cannot log READ COMMITTED: SET GLOBAL binlog_format = 'ROW'",
        )


def table_findings(connection: Connection, table: Table, verb: Verb = Verb.UPDATE) -> Iterator[Finding]:
    """Engines without transactions, views, temporary tables and triggers."""
    name, parameters = table.name, _named(table)
    kind, engine, transactional = connection.execute(text(_TABLE), parameters).first() or ("TEMPORARY", None, None)
    if kind == "TEMPORARY" or _hides_behind_temporary(connection, table):
        yield Finding("temporary-table", f"{name} is a temporary table; it is gone when the connection ends")
    elif kind not in ("BASE TABLE", "SYSTEM VERSIONED"):
        yield Finding("not-a-table", f"{name} is a {kind.lower()}; name the table that holds the rows")
    elif transactional != "YES":
        yield Finding(
            "engine", f"{name} is {engine}, which keeps changes after a ROLLBACK: ALTER TABLE {name} ENGINE = InnoDB"
        )
    for trigger in connection.execute(text(_TRIGGERS), {**parameters, "event": verb.upper()}).scalars():
        yield consent("trigger", f"trigger {trigger} fires for every row that is {verb.done_to} {name}")


def key_findings(table: Table, key: Sequence[str]) -> Iterator[Finding]:
    """ENUM and SET sort by number and compare by name, and a TIME may be longer than a day: a walk misses rows."""
    for name in key:
        kind = table.c[name].type
        if isinstance(kind, ENUM | SET):
            yield Finding(
                "key-enum",
                f"{table.name}.{name} is the key and is {type(kind).__name__}, which sorts by number but compares by "
                "name: a walk by it would miss rows. Give the table another unique key",
            )
        if isinstance(kind, TIME):
            yield Finding(
                "key-time",
                f"{table.name}.{name} is the key and is TIME, which may lie outside of a day and then does not come "
                "back as it is stored: a walk by it would miss rows. Give the table another unique key",
            )


def write_findings(connection: Connection, table: Table, columns: Sequence[str]) -> Iterator[Finding]:
    """What else a write to these columns touches: times of the last write, and rows that refer to this one."""
    for name in connection.execute(text(_TOUCHED), _named(table)).scalars():
        if name not in columns:
            yield consent(
                "on-update", f"{table.name}.{name} is set to the time of every write (ON UPDATE CURRENT_TIMESTAMP)"
            )
    cascades = text(_CASCADES).bindparams(bindparam("columns", expanding=True))
    for other, column in connection.execute(cascades, {**_named(table), "columns": list(columns)}):
        yield consent("cascade", f"{other} refers to {table.name}.{column} ON UPDATE, so its rows are written too")


def delete_findings(connection: Connection, table: Table) -> Iterator[Finding]:
    """Rows that refer to these and go, or lose their reference, with them."""
    for other in connection.execute(text(_DELETED_WITH), _named(table)).scalars():
        yield consent("cascade", f"{other} refers to {table.name} ON DELETE, so its rows are deleted or changed too")


_VARIABLES = """
    SHOW VARIABLES WHERE variable_name IN
    ('read_only', 'super_read_only', 'tx_read_only', 'transaction_read_only', 'log_bin', 'binlog_format')
"""
_TABLE = """
    SELECT t.table_type, t.engine, (SELECT e.transactions FROM information_schema.engines e WHERE e.engine = t.engine)
      FROM information_schema.tables t
     WHERE t.table_schema = coalesce(:schema, database()) AND t.table_name = :name
"""
_TRIGGERS = """
    SELECT trigger_name FROM information_schema.triggers
     WHERE event_object_schema = coalesce(:schema, database()) AND event_object_table = :name
       AND event_manipulation = :event
"""
_TOUCHED = """
    SELECT column_name FROM information_schema.columns
     WHERE table_schema = coalesce(:schema, database()) AND table_name = :name AND extra LIKE '%on update%'
"""
_DELETED_WITH = """
    SELECT r.table_name FROM information_schema.referential_constraints r
     WHERE r.unique_constraint_schema = coalesce(:schema, database()) AND r.referenced_table_name = :name
       AND r.delete_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
"""
_CASCADES = """
    SELECT k.table_name, k.referenced_column_name
      FROM information_schema.referential_constraints r
      JOIN information_schema.key_column_usage k
        ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
           AND k.table_name = r.table_name
     WHERE r.unique_constraint_schema = coalesce(:schema, database()) AND r.referenced_table_name = :name
       AND r.update_rule IN ('CASCADE', 'SET NULL', 'SET DEFAULT') AND k.referenced_column_name IN :columns
"""


def _named(table: Table) -> dict[str, Any]:
    return {"schema": table.schema, "name": table.name}


def _is_on(variables: dict[str, str], name: str) -> bool:
    return variables.get(name, "").upper() not in _OFF


def _hides_behind_temporary(connection: Connection, table: Table) -> bool:
    """A temporary table takes the name of a lasting one for its own session."""
    quoted = connection.dialect.identifier_preparer.format_table(table)
    made = connection.exec_driver_sql(f"SHOW CREATE TABLE {quoted}").one()[1]
    return str(made).upper().startswith("CREATE TEMPORARY")
