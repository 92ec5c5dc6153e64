"""Pieces: what one of several workers takes of a slice; each is cut off its front and is a slice of its own."""

from __future__ import annotations

from dataclasses import dataclass

from backfill.batch import Slice
from backfill.database import Database
from backfill.running.leases import Leases
from backfill.running.worker import Worker, require_ours
from backfill.slices import Slices

FEWEST_BATCHES = 5
"""In a piece, so that its cutting costs little."""

MOST_BATCHES = 100
"""In a piece, so that the last ones are done at about the same time."""

PIECES_EACH = 16
"""Pieces for each worker, where the size of the table is known: enough to make up for slow ones."""


@dataclass(frozen=True)
class Share:
    """How many rows a piece should have."""

    rows: int

    @classmethod
    def of(cls, rows_estimated: int | None, workers: int) -> Share:
        """A worker's share of a table in pieces."""
        return cls((rows_estimated or 0) // (workers * PIECES_EACH))

    def rows_at(self, batch_rows: int) -> int:
        """Rows of the next piece, when a batch has so many."""
        return min(max(self.rows, FEWEST_BATCHES * batch_rows), MOST_BATCHES * batch_rows)


class Pieces:
    """Cuts pieces off a slice that the leader of a crew holds, for one worker, and walks them."""

    def __init__(self, database: Database, worker: Worker, leases: Leases, owner: str, share: Share) -> None:
        self._slices = Slices(database)
        self._worker = worker
        self._owner = owner
        self._share = share
        self._leases = leases

    def walk_next(self, held: Slice) -> bool:
        """Take the next piece of the slice and walk it; False when nothing is left of the slice."""
        piece = self._worker.patience.record(lambda: self._cut(held))
        if piece is None:
            return False
        try:
            self._worker.walk(piece)
        finally:
            self._leases.release(piece)
        return True

    def _cut(self, held: Slice) -> Slice | None:
        """The others wait meanwhile, since it is the end of this piece where theirs begins."""
        locked = self._slices.lock(held)
        require_ours(held, locked)
        if not locked.is_open:
            return None
        assert locked.hi is not None, "an open slice has a last key"
        rows = self._share.rows_at(self._worker.batch_rows)
        upto = self._worker.sources[locked.table].place_after(locked.checkpoint, locked.hi, rows)
        return self._slices.part(locked, upto, self._owner, self._leases.seconds)
