"""Sieve: keeps rows that cannot be filled out of the batches, as many as the budget allows, so that others go on."""

from __future__ import annotations

from backfill.batch import Batch, BatchSize, Slice
from backfill.database import Database
from backfill.errors import RowRejected
from backfill.key import Key
from backfill.rejections import Rejections, Standing
from backfill.rows.source import Source
from backfill.settings import Settings
from backfill.slices import Slices

FEWEST_IN_A_ROW = 20
"""Rows rejected one after the other, before it is asked whether it is the rows that are at fault."""

ROWS_UNKNOWN = 1_000
"""Where the database has no estimate of its rows, a share is of so many, until more have been walked."""


class Sieve:
    """The rows that one worker keeps out."""

    def __init__(self, database: Database, settings: Settings, size: BatchSize) -> None:
        self._database = database
        self._settings = settings
        self._size = size
        self.is_open = settings.may_reject
        """Whether any row may be kept out at all."""
        self._at_hand: tuple[Slice, Batch] | None = None
        self._passed_over: list[Key] = []
        self._kept_out: dict[Key, str] = {}
        self._in_a_row = 0
        self._failed_rows = 0

    def turn_to(self, slice_: Slice, source: Source) -> None:
        """A slice begins: of rows that were rejected in the walk, a sweep knows already that they cannot be filled."""
        known = Rejections(self._database, slice_.run_id).all(Standing.OPEN, Standing.ACCEPTED) if slice_.sweep else ()
        self._passed_over = [each.key for each in known if each.table == slice_.table]
        self._keep(source, {})

    def look_at(self, seen: Slice, batch: Batch) -> None:
        """This batch is tried next."""
        self._at_hand = seen, batch

    def sift(self, error: RowRejected, source: Source) -> None:
        """Find the rows at fault, and leave them out of the batch that is taken again.

        Raises:
            RowRejected: no row may be left out, no more than these, or none would pass.
        """
        if not self.is_open or self._at_hand is None:
            raise error
        if not error.reasons and self._size.search():
            return
        seen, batch = self._at_hand
        reasons = error.reasons or dict.fromkeys(self._keys(source, batch), str(error).rpartition(": ")[2])
        if not reasons:
            raise error
        self._in_a_row += len(reasons)
        failed = batch.rows if batch.is_counted else len(self._keys(source, batch))
        self._failed_rows = max(self._failed_rows, failed, FEWEST_IN_A_ROW)
        self._require_budget(error, seen, len(self._kept_out | reasons))
        self._keep(source, self._kept_out | reasons)
        self._size.end_search()

    def record(self) -> None:
        """Enter the rows kept out, in the transaction of the batch."""
        if self._kept_out and self._at_hand is not None:
            seen, _ = self._at_hand
            Rejections(self._database, seen.run_id).add(seen.table, self._kept_out)

    def note_commit(self, source: Source, passed: int) -> None:
        """The batch was committed, and so many rows passed."""
        if passed:
            self._in_a_row = self._failed_rows = 0
        if self._kept_out:
            self._keep(source, {})

    def _keep(self, source: Source, rows: dict[Key, str]) -> None:
        self._kept_out = rows
        source.pass_over([*self._passed_over, *rows])

    def _keys(self, source: Source, batch: Batch) -> list[Key]:
        """The rows of a batch that cannot be made smaller."""
        with self._database.transaction(keep=False):
            return list(source.taken_keys(batch))

    def _require_budget(self, error: RowRejected, seen: Slice, kept_out: int) -> None:
        if self._in_a_row >= self._failed_rows:
            raise RowRejected(f"{error}; none of the last {self._in_a_row:,} rows passed, so it is no fault of one row")
        rejected = Rejections(self._database, seen.run_id).count(Standing.OPEN) + kept_out
        allowed = self._settings.rejections_allowed(self._rows_of(seen))
        if rejected > allowed:
            raise RowRejected(f"{error}; {rejected:,} rows were rejected, and at most {allowed:,} may be")

    def _rows_of(self, seen: Slice) -> int:
        """How many rows the run has to do with, as far as that is known."""
        walked = sum(each.rows_read for each in Slices(self._database).of_run(seen.run_id) if not each.sweep)
        return max(walked, seen.rows_estimated or ROWS_UNKNOWN)
