"""PostgreSQL, before the first batch: what is no table, what does not last, and what hides or redirects rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Table, text

from backfill.declaration.writes import Verb
from backfill.finding import Finding, consent

_KINDS = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence"}
_TRIGGER_BITS = {Verb.INSERT: 4, Verb.DELETE: 8, Verb.UPDATE: 16}
_RULE_EVENTS = {Verb.UPDATE: "2", Verb.INSERT: "3", Verb.DELETE: "4"}
_DURABILITY = {
    "u": ("unlogged-table", "is UNLOGGED: after a crash of the server it is empty while the ledger says it is filled"),
    "t": ("temporary-table", "is a temporary table; it is gone when the connection ends"),
}


def server_findings(connection: Connection) -> Iterator[Finding]:
    """A standby cannot be written, nor can a session that is read-only by default."""
    standby, read_only = connection.exec_driver_sql(
        "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')::boolean"
    ).one()
    if standby:
        yield Finding("read-only", "the server is a standby in recovery; run on the primary")
    elif read_only:
        yield Finding(
            "read-only",
            "default_transaction_read_only is on for this user or database; use another user, or: "
            "ALTER ROLE ... SET default_transaction_read_only = off",
        )


def table_findings(connection: Connection, table: Table, verb: Verb = Verb.UPDATE) -> Iterator[Finding]:
    """Views, foreign, unlogged and temporary tables; rows that are hidden, redirected or inherited; triggers."""
    name = table.name
    event = {"bit": _TRIGGER_BITS[verb], "rule": _RULE_EVENTS[verb]}
    found = connection.execute(text(_TABLE), {**_named(connection, table), **event}).one()
    if found.relkind in _KINDS:
        yield Finding("not-a-table", f"{name} is {_KINDS[found.relkind]}; name the table that holds the rows")
    if found.relpersistence in _DURABILITY:
        code, reason = _DURABILITY[found.relpersistence]
        yield Finding(code, f"{name} {reason}")
    if found.children:
        yield Finding(
            "inherited-table",
            f"{found.children} inherit from {name}, and keys are unique in each of them alone: name each of them, "
            "or make them partitions",
        )
    if found.rules:
        yield Finding(
            "rule", f"rule {found.rules} turns an {verb.upper()} of {name} into something else: DROP RULE first"
        )
    if found.hides_rows:
        yield consent("row-security", f"row security may hide rows of {name} from this user, and they stay as they are")
    if found.triggers:
        yield consent("trigger", f"trigger {found.triggers} fires for every row that is {verb.done_to} {name}")


def key_findings(connection: Connection, table: Table, key: Sequence[str]) -> Iterator[Finding]:
    """An index that does not hold the key unique, and collations under which a walk is not to be trusted."""
    parameters = {**_named(connection, table), "key": sorted(key)}
    if not connection.execute(text(_UNIQUE), parameters).scalar():
        yield Finding(
            "key-index",
            f"no valid unique index holds {table.name} ({', '.join(key)}) unique for all rows: "
            f"REINDEX TABLE {table.name}, or ALTER TABLE {table.name} ADD PRIMARY KEY (...)",
        )
    query = _COLLATIONS.format(default=_DEFAULT_VERSION if _knows_default_version(connection) else "false")
    for name, collation, deterministic, outdated in connection.execute(text(query), parameters):
        if not deterministic:
            yield Finding(
                "key-collation",
                f"{table.name}.{name} is the key under collation {collation}, in which different texts count as equal: "
                "a walk by it can miss rows. Give the table a key under a deterministic collation",
            )
        elif outdated:
            yield Finding(
                "key-collation-version",
                f"{table.name}.{name} is indexed under an older version of collation {collation}; ranges may miss "
                f"rows. First: REINDEX TABLE {table.name}; ALTER COLLATION ... REFRESH VERSION",
            )


def write_findings(connection: Connection, table: Table, columns: Sequence[str]) -> Iterator[Finding]:
    """Columns by which a row would move to another partition, and rows that refer to these."""
    parameters = {**_named(connection, table), "columns": list(columns)}
    for name in connection.execute(text(_PARTITIONED_BY), parameters).scalars():
        yield Finding(
            "writes-partition",
            f"{table.name}.{name} decides in which partition a row is: leave it out of what is written",
        )
    for other, column in connection.execute(text(_CASCADES), parameters):
        yield consent("cascade", f"{other} refers to {table.name}.{column} ON UPDATE, so its rows are written too")


def delete_findings(connection: Connection, table: Table) -> Iterator[Finding]:
    """Rows that refer to these and go, or lose their reference, with them."""
    for other in connection.execute(text(_DELETED_WITH), _named(connection, table)).scalars():
        yield consent("cascade", f"{other} refers to {table.name} ON DELETE, so its rows are deleted or changed too")


_TABLE = """
    SELECT c.relkind::text, c.relpersistence::text, row_security_active(c.oid) AS hides_rows,
           (SELECT string_agg(i.inhrelid::regclass::text, ', ') FROM pg_inherits i
             WHERE i.inhparent = c.oid AND c.relkind = 'r') AS children,
           (SELECT string_agg(r.rulename, ', ') FROM pg_rewrite r
             WHERE r.ev_class = c.oid AND r.ev_type::text = :rule AND c.relkind IN ('r', 'p')) AS rules,
           (SELECT string_agg(t.tgname, ', ') FROM pg_trigger t
             WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D'
               AND t.tgtype & :bit = :bit) AS triggers
      FROM pg_class c WHERE c.oid = CAST(:name AS regclass)
"""
_UNIQUE = """
    SELECT EXISTS (
        SELECT 1 FROM pg_index i
         WHERE i.indrelid = CAST(:name AS regclass) AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
           AND i.indexprs IS NULL
           AND CAST(:key AS text[]) = ARRAY(
               SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
                 JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                WHERE k.place <= i.indnkeyatts ORDER BY a.attname::text COLLATE "C"))
"""
_COLLATIONS = """
    SELECT a.attname, l.collname, l.collisdeterministic,
           CASE WHEN l.collname = 'default' THEN {default}
                ELSE l.collversion IS DISTINCT FROM pg_collation_actual_version(l.oid) END
      FROM pg_attribute a JOIN pg_collation l ON l.oid = a.attcollation
     WHERE a.attrelid = CAST(:name AS regclass) AND a.attname = ANY(:key)
"""
_DEFAULT_VERSION = """
    (SELECT d.datcollversion IS DISTINCT FROM pg_database_collation_actual_version(d.oid)
       FROM pg_database d WHERE d.datname = current_database())
"""
_PARTITIONED_BY = """
    SELECT DISTINCT a.attname
      FROM pg_partition_ancestors(CAST(:name AS regclass)) AS p (relid)
      JOIN pg_partitioned_table t ON t.partrelid = p.relid
      JOIN pg_attribute a ON a.attrelid = t.partrelid AND a.attnum = ANY(t.partattrs::int2[])
     WHERE a.attname = ANY(:columns)
"""
_CASCADES = """
    SELECT c.conrelid::regclass::text, a.attname
      FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = ANY(c.confkey)
     WHERE c.contype = 'f' AND c.confrelid = CAST(:name AS regclass) AND c.confupdtype IN ('c', 'n', 'd')
       AND c.conparentid = 0 AND a.attname = ANY(:columns)
"""


_DELETED_WITH = """
    SELECT c.conrelid::regclass::text FROM pg_constraint c
     WHERE c.contype = 'f' AND c.confrelid = CAST(:name AS regclass) AND c.confdeltype IN ('c', 'n', 'd')
       AND c.conparentid = 0
"""


def _named(connection: Connection, table: Table) -> dict[str, Any]:
    return {"name": connection.dialect.identifier_preparer.format_table(table)}


def _knows_default_version(connection: Connection) -> bool:
    return (connection.dialect.server_version_info or (0,)) >= (15,)
