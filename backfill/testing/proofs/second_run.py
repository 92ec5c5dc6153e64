"""A second run changes nothing, where that is natural and not the checkpoint's doing."""

from __future__ import annotations

from backfill.testing.end import told_difference
from backfill.testing.law import Law
from backfill.testing.proofs import sameness
from backfill.testing.stage import Stage


def _prove(stage: Stage) -> str | None:
    stage.reset()
    stage.perform()
    once = stage.end(())
    stage.perform(from_start=True)
    return told_difference(stage.end(()), "after a second run", once, "after the first")


def _exempts(stage: Stage) -> str | None:
    repeatability = stage.source.repeatability
    if not repeatability.by_nature:
        return f"only the checkpoint makes it exactly once: {repeatability.reason}"
    if stage.fresh.intersection(stage.source.bound.writes) and not repeatability.shrinks:
        return "its values are fresh ones in every run"
    return None


LAW = Law(
    "second run",
    "running it again changes nothing.",
    "It reads what it writes without saying so: read it as a field of the input model, or let where= leave out the "
    "rows that are done",
    _prove,
    _exempts,
    presumed=sameness.LAW,
)
