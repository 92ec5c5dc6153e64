"""JSON null and SQL NULL are the same to a transform that asks `is_missing`."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import JSON, Column, Table, update
from sqlalchemy.sql import visitors

from backfill.declaration.conditions import Missing
from backfill.testing.end import told_difference
from backfill.testing.law import Law
from backfill.testing.proofs import sameness
from backfill.testing.stage import Stage


def _prove(stage: Stage) -> str | None:
    stage.reset()
    with stage.database() as database, database.transaction() as connection:
        for table, column in _documents(stage):
            connection.execute(update(table).where(column.is_(None)).values({column.name: JSON.NULL}))
    stage.perform()
    return told_difference(stage.end(), "where it held JSON null before", stage.undisturbed, "where it held SQL NULL")


def _documents(stage: Stage) -> Iterator[tuple[Table, Column[object]]]:
    """The JSON columns that are asked for, where rows hold SQL NULL in them."""
    asked = {
        part.column_name for part in visitors.iterate(stage.transform.definition.where) if isinstance(part, Missing)
    }
    for name in stage.transform.definition.tables_walked:
        for column in stage.tables[name].columns:
            is_null = any(row[column.name] is None for row in stage.start[name].values())
            if column.name in asked and isinstance(column.type, JSON) and is_null:
                yield stage.tables[name], column


def _exempts(stage: Stage) -> str | None:
    if stage.transform.definition.where is None or not list(_documents(stage)):
        return "it asks is_missing of no JSON column that is NULL"
    return None


LAW = Law(
    "nulls",
    "JSON null and SQL NULL end alike, since is_missing takes both.",
    "coalesce() and IS NULL know SQL NULL alone: say the new value itself, where= has chosen the rows already",
    _prove,
    _exempts,
    presumed=sameness.LAW,
)
