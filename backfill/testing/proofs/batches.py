"""Where a batch ends does not show in the rows."""

from __future__ import annotations

from backfill.testing.end import told_difference
from backfill.testing.law import Law
from backfill.testing.proofs import sameness
from backfill.testing.stage import Stage


def _prove(stage: Stage) -> str | None:
    ones, whole = stage.undisturbed_in_ones, stage.undisturbed
    return told_difference(ones, "in batches of one row", whole, "when all rows are one batch")


LAW = Law(
    "batches",
    "in batches of one row it ends as in one batch of all rows.",
    "Which rows make a batch is chance: rows that belong together are a group (group_by=), and what goes from row to "
    "row is a state",
    _prove,
    presumed=sameness.LAW,
)
