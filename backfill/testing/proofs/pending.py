"""Rows that were written are not taken again, where the condition asks about what is written."""

from __future__ import annotations

from backfill.batch import Batch
from backfill.declaration.conditions import render
from backfill.rows.opening import open_targets
from backfill.testing.end import name_of
from backfill.testing.law import Law
from backfill.testing.stage import Stage


def taken(stage: Stage, table: str) -> list[str]:
    """The rows of a table that `where` takes as they are now."""
    with stage.database() as database:
        (target,) = (each for each in open_targets(database, stage.transform) if each.name == table)
        last = target.last_key()
        keys = [] if last is None else target.snapshot(Batch(None, last, 0, last), target.key)
        return [name_of(stage.tables[table], dict(zip(target.key, key, strict=True))) for key in keys]


def _prove(stage: Stage) -> str | None:
    stage.reset()
    stage.perform()
    for table in stage.transform.definition.tables_walked:
        still_taken = taken(stage, table)
        for name in stage.changed(table, stage.undisturbed):
            if name in still_taken:
                row = stage.undisturbed[table][name]
                return f"in {table}, the row {name} is written, and still taken by where ({_where(stage)}): {row!r}"
    return None


def _where(stage: Stage) -> str:
    where = stage.transform.definition.where
    return "every row" if where is None else render(where)


def _exempts(stage: Stage) -> str | None:
    repeatability = stage.source.repeatability
    return None if repeatability.shrinks else "where does not ask about what is written"


LAW = Law(
    "pending",
    "a row that was written is not pending any more.",
    "The gate before the next schema revision asks where: let it ask for what no written row has, such as NULL in a "
    "column that is never written as NULL",
    _prove,
    _exempts,
)
