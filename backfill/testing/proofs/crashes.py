"""A run that is killed again and again ends as one that nothing happens to."""

from __future__ import annotations

from backfill.testing.end import told_difference
from backfill.testing.law import Law
from backfill.testing.moments import Commit, Died, dying
from backfill.testing.proofs import sameness
from backfill.testing.rebirth import reborn
from backfill.testing.stage import Stage


class _Deaths:
    """One before each COMMIT of the run, in batches of one row: so at every boundary of a batch, too."""

    def __init__(self) -> None:
        self._died_before: set[tuple[str, int]] = set()
        self._batches = 0

    def is_due(self, commit: Commit) -> bool:
        """Whether nobody has died before this one."""
        moment = (commit.statement, self._batches if commit.is_of_batch else 0)
        self._batches += commit.is_of_batch and moment in self._died_before
        is_new = moment not in self._died_before
        self._died_before.add(moment)
        return is_new

    def __len__(self) -> int:
        return len(self._died_before)


def _prove(stage: Stage) -> str | None:
    expected = stage.undisturbed_in_ones
    stage.reset()
    deaths = _Deaths()
    while _dies(stage, deaths):
        pass
    crashes = f"after {len(deaths)} crashes, one before each COMMIT"
    return told_difference(stage.end(), crashes, expected, "without a crash")


def _dies(stage: Stage, deaths: _Deaths) -> bool:
    """One process after the other goes on with the run: each begins with what the database knows."""
    try:
        with dying(stage.engine, deaths.is_due):
            stage.perform(batch=1, by=reborn(stage.transform))
    except Died:
        return True
    return False


LAW = Law(
    "crashes",
    "a run that is killed at any moment and taken up again ends as one that is not.",
    "What a batch does must be undone with its transaction: look for a variable that lives longer than a call, another "
    "connection, a file",
    _prove,
    presumed=sameness.LAW,
)
