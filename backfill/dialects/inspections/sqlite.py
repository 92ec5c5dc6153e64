"""SQLite, before the first batch: unsafe journals, read-only and remote files, keys that a walk would miss."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, bindparam, func, null, select, text
from sqlalchemy.exc import DBAPIError

from backfill.declaration.writes import Verb
from backfill.finding import Finding, consent

_JOURNALS = {"off": "ROLLBACK cannot take a batch back", "memory": "a crash can corrupt the file"}

_REMOTE = frozenset({"afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "nfs", "nfs4", "smb3", "smbfs"})
"""File systems on which SQLite's locks cannot be trusted."""

_MOUNTS = Path("/proc/self/mounts")
_ON_EVENT = {
    Verb.UPDATE: re.compile(r"\bUPDATE\b(\s+OF\b[^;]*?)?\s+ON\s", re.IGNORECASE | re.DOTALL),
    Verb.INSERT: re.compile(r"\bINSERT\s+ON\s", re.IGNORECASE),
    Verb.DELETE: re.compile(r"\bDELETE\s+ON\s", re.IGNORECASE),
}
_LENIENT = re.compile(r"\bON\s+CONFLICT\s+(REPLACE|IGNORE)\b", re.IGNORECASE)
_INEXACT = ("REAL", "FLOA", "DOUB")


def server_findings(connection: Connection) -> Iterator[Finding]:
    """A journal that cannot roll back, a file that cannot be written, or one that is not on this machine."""
    path = file_of(connection)
    mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()).lower()
    if path and mode in _JOURNALS:
        message = f"journal_mode is {mode}: {_JOURNALS[mode]}. Before the run: PRAGMA journal_mode = WAL"
        yield Finding("journal-mode", message)
    if path and connection.exec_driver_sql("PRAGMA synchronous").scalar() == 0:
        yield consent("synchronous", "synchronous is OFF: a power cut can corrupt the file")
    if _is_read_only(connection):
        yield Finding("read-only", "this connection may not write: open the file for writing, without query_only")
    if path and _MOUNTS.exists() and (remote := remote_file_system(Path(path), _MOUNTS.read_text())):
        yield Finding(
            "network-file",
            f"the file is on a network drive ({remote}), where SQLite's locks do not hold: run on the machine it is on",
        )


def table_findings(connection: Connection, table: Table, verb: Verb = Verb.UPDATE) -> Iterator[Finding]:
    """Attached files, temporary and virtual tables, views, and triggers."""
    name = table.name
    if table.schema not in (None, "main"):
        yield Finding(
            "attached-table",
            f"{name} is in the attached file {table.schema}: a batch and its checkpoint would be in two files, which "
            "SQLite cannot commit together. Open that file as the main database",
        )
        return
    found = connection.execute(text(_OBJECTS), {"name": name}).all()
    if any(place == "temp" and kind == "table" for place, kind, *_ in found):
        yield Finding("temporary-table", f"{name} is a temporary table; it is gone when the connection ends")
    for _, kind, own_name, sql in found:
        if kind == "view":
            yield Finding("not-a-table", f"{name} is a view; name the table it is made of")
        elif kind == "table" and sql.upper().startswith("CREATE VIRTUAL"):
            yield Finding("not-a-table", f"{name} is a virtual table, which may not take part in a transaction")
        elif kind == "table" and verb is not Verb.DELETE and (lenient := _LENIENT.search(sql)):
            yield consent(
                "conflict-clause",
                f"{name} says ON CONFLICT {lenient[1].upper()}, so a row that breaks a rule is not refused: it stays "
                "as it is, or others are deleted for it, without a word",
            )
        elif kind == "trigger" and _ON_EVENT[verb].search(sql):
            yield consent("trigger", f"trigger {own_name} fires for every row that is {verb.done_to} {name}")


def key_findings(connection: Connection, table: Table, key: Sequence[str]) -> Iterator[Finding]:
    """SQLite lets a key hold NULL, mixed types and inexact numbers: rows that a walk by that key would miss."""
    declared = {name: str(kind).upper() for name, kind in connection.execute(text(_TYPES), {"name": table.name})}
    for name in key:
        if any(word in declared.get(name, "") for word in _INEXACT):
            yield _inexact(table, name)
        else:
            yield from _stored_key_findings(connection, table, name)


def write_findings(connection: Connection, table: Table, columns: Sequence[str]) -> Iterator[Finding]:
    """Foreign keys by which a write to these columns reaches rows of other tables."""
    if not connection.exec_driver_sql("PRAGMA foreign_keys").scalar():
        return
    statement = text(_CASCADES).bindparams(bindparam("columns", expanding=True))
    for other, column in connection.execute(statement, {"name": table.name, "columns": list(columns)}):
        yield consent("cascade", f"{other} refers to {table.name}.{column} ON UPDATE, so its rows are written too")


def delete_findings(connection: Connection, table: Table) -> Iterator[Finding]:
    """Rows that refer to these and go, or lose their reference, with them."""
    if not connection.exec_driver_sql("PRAGMA foreign_keys").scalar():
        return
    for other in connection.execute(text(_DELETED_WITH), {"name": table.name}).scalars():
        yield consent("cascade", f"{other} refers to {table.name} ON DELETE, so its rows are deleted or changed too")


def file_of(connection: Connection) -> str:
    """The main database's file; empty for one in memory."""
    databases = connection.exec_driver_sql("PRAGMA database_list").all()
    return next((row[2] for row in databases if row[1] == "main"), "")


def remote_file_system(path: Path, mounts: str) -> str | None:
    """The type of the network file system that `path` is on, by the mounts of this machine; None on a local one."""
    kinds = {Path(fields[1]): fields[2] for line in mounts.splitlines() if len(fields := line.split()) > 2}
    nearest = next((kinds[place] for place in (path, *path.parents) if place in kinds), "")
    return nearest if nearest in _REMOTE else None


_OBJECTS = """
    SELECT 'main', type, name, coalesce(sql, '') FROM sqlite_master WHERE lower(tbl_name) = lower(:name)
    UNION ALL
    SELECT 'temp', type, name, coalesce(sql, '') FROM sqlite_temp_master WHERE lower(tbl_name) = lower(:name)
"""
_TYPES = "SELECT name, type FROM pragma_table_info(:name)"
_DELETED_WITH = """
    SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
     WHERE m.type = 'table' AND lower(f."table") = lower(:name)
       AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
"""
_CASCADES = """
    SELECT m.name, f."to" FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
     WHERE m.type = 'table' AND lower(f."table") = lower(:name) AND f."to" IN :columns
       AND f.on_update IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
"""


def _is_read_only(connection: Connection) -> bool:
    """Try to write a value that is there already, and take it back; a busy file is no answer."""
    driver: Any = connection.connection.driver_connection
    if driver.in_transaction:
        return bool(connection.exec_driver_sql("PRAGMA query_only").scalar())
    version = connection.exec_driver_sql("PRAGMA user_version").scalar()
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql(f"PRAGMA user_version = {version}")
    except DBAPIError as error:
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY
    finally:
        if not connection.closed and not connection.invalidated and driver.in_transaction:
            connection.exec_driver_sql("ROLLBACK")
    return False


def _stored_key_findings(connection: Connection, table: Table, name: str) -> Iterator[Finding]:
    column = table.c[name]
    if connection.execute(select(1).select_from(table).where(column.is_(null())).limit(1)).first():
        yield Finding(
            "key-null",
            f"{table.name}.{name} is the key and holds NULL in some rows, which a walk by key would miss: "
            "fill or delete those rows first",
        )
        return
    ends = (select(func.typeof(column)).order_by(order).limit(1) for order in (column.asc(), column.desc()))
    low, high = (connection.execute(end).scalar() for end in ends)
    if low != high:
        yield Finding(
            "key-mixed-types",
            f"{table.name}.{name} is the key and holds both {low} and {high} values: make them one type before the run",
        )
    elif low == "real":
        yield _inexact(table, name)


def _inexact(table: Table, name: str) -> Finding:
    return Finding(
        "key-type",
        f"{table.name}.{name} is the key and holds floating point numbers, which do not come back exactly as they are "
        "stored: give the table an integer, UUID or text key",
    )
