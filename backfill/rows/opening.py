"""Opening: a transform's sources as they are in a database."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import Column, Table

from backfill.database import Database
from backfill.declaration.conditions import suggest
from backfill.declaration.decorator import Transform
from backfill.declaration.ordering import Ordering
from backfill.errors import ChecksFailed, DeclarationError
from backfill.finding import Finding, Severity
from backfill.rows.source import Source
from backfill.rows.tables import NoTable, Tables, key_of
from backfill.rows.target import Target
from backfill.rows.unit import Unit
from backfill.rows.walk import Walk, walk_by_groups, walk_by_key, walk_by_order


def open_sources(database: Database, transform: Transform[..., Any]) -> list[Source]:
    """What a run of the transform takes in batches: its tables, or the one unit that it is.

    Raises:
        ChecksFailed: a table or column is not there, a table has no usable key, or the definition does not fit.
    """
    tables = Tables(database)
    with database.faults():
        try:
            if transform.definition.tables_walked:
                return [_open_target(database, transform, tables, name) for name in transform.definition.tables_walked]
            return [Unit(database, transform, tables)]
        except NoTable as error:
            hint = f"{error} If a migration makes it: alembic upgrade head. If it is in another bind: --bind NAME"
            raise ChecksFailed(transform.name, [Finding("no-table", hint)]) from None
        except DeclarationError as error:
            raise ChecksFailed(transform.name, [Finding(error.code, str(error))]) from None


def open_targets(database: Database, transform: Transform[..., Any]) -> list[Target]:
    """The tables that the transform walks, as they are in this database; as `open_sources`."""
    return [source for source in open_sources(database, transform) if isinstance(source, Target)]


def _open_target(database: Database, transform: Transform[..., Any], tables: Tables, name: str) -> Target:
    table = tables.find(name)
    key = key_of(table)
    if not key:
        raise ChecksFailed(transform.name, _why_no_key(database, table))
    return Target(database, transform, tables, table, key, partial(_walk_of, transform))


def _walk_of(transform: Transform[..., Any], target: Target) -> Walk:
    dialect, definition = target.database.dialect, transform.definition
    key = [target.table.c[name] for name in target.key]
    if definition.group_by is not None:
        return walk_by_groups(dialect, [_column(target, name) for name in definition.group_by])
    if definition.order_by:
        order = [(_not_null(target, step), step.is_descending) for step in definition.order_by]
        return walk_by_order(dialect, order, key)
    return walk_by_key(dialect, key)


def _column(target: Target, name: str) -> Column[Any]:
    if name not in target.table.c:
        raise DeclarationError(
            f"it walks {target.name} by {name}; {target.name} has no such column."
            f"{suggest(name, target.table.c.keys())}",
            code="walked-unknown",
        )
    return target.table.c[name]


def _not_null(target: Target, step: Ordering) -> Column[Any]:
    column = _column(target, str(step.name))
    if column.nullable:
        raise DeclarationError(
            f"it walks {target.name} by {column.name}, which may be NULL, and NULLs have no order that all databases "
            "share: leave such rows out with where=..., and let the column be NOT NULL; or take group_by=()",
            code="walked-null",
        )
    return column


def _why_no_key(database: Database, table: Table) -> list[Finding]:
    """A view or a foreign table has no key to add: then that is what there is to say."""
    found = database.dialect.inspect_table(database.connection, table)
    no_key = Finding(
        "no-key",
        f"{table.fullname} has neither a primary key nor a unique constraint over NOT NULL columns, so there is no "
        f"order in which no row is lost: ALTER TABLE {table.fullname} ADD PRIMARY KEY (...)",
    )
    return [finding for finding in found if finding.severity is Severity.REFUSAL] or [no_key]
