"""What a run has written can be taken back."""

from __future__ import annotations

from backfill.rows.tables import key_of
from backfill.testing.end import told_difference
from backfill.testing.law import Law
from backfill.testing.stage import Stage


def _prove(stage: Stage) -> str | None:
    stage.reset()
    stage.perform(batch=1, keep_undo=True)
    stage.undo()
    return told_difference(stage.end(()), "after the run and its undo", stage.start, "before the run")


def _exempts(stage: Stage) -> str | None:
    if keyless := [name for name, table in stage.tables.items() if not key_of(table)]:
        return f"{keyless[0]} has no key by which its rows could be found again"
    return "what a step writes is known to itself alone" if stage.source.bound.performs else None


LAW = Law(
    "undo",
    "undo restores what the rows held.",
    "Only what the run itself writes is kept: look for a trigger, and for foreign keys that carry a write on to other "
    "rows",
    _prove,
    _exempts,
)
