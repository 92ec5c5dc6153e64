"""The laws, one file each, in the order in which they are proved: what one takes for granted is proved before it."""

from __future__ import annotations

from backfill.testing.law import Law
from backfill.testing.proofs import batches, crashes, edits, nulls, outputs, pending, sameness, second_run, undo

LAWS: tuple[Law, ...] = (
    sameness.LAW,
    outputs.LAW,
    pending.LAW,
    second_run.LAW,
    batches.LAW,
    crashes.LAW,
    edits.LAW,
    nulls.LAW,
    undo.LAW,
)
