"""Undoer: walks a run backwards, batch by batch, and puts back what its journal kept.

BEGIN
  the slice, as the ledger has it       where to go on is always read
  the newest batch of which images are left
  its writes, the last one first        each row only where it still holds what was written
  guarded write of the slice            the same fence as when it ran
COMMIT
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from backfill.batch import Slice
from backfill.database import Database
from backfill.errors import Refused, RunHeld
from backfill.fault import Fault, Faulted
from backfill.key import Key, printable_key
from backfill.ledger import Ledger
from backfill.phrase import counted
from backfill.rows.images import Images, Stamp
from backfill.rows.restoration import Restoration
from backfill.rows.tables import Tables
from backfill.run import Run
from backfill.running.leases import Leases
from backfill.running.owner import describe, is_dead, new_owner
from backfill.running.patience import Patience, explained
from backfill.running.progress import Progress
from backfill.running.stop import StopRequest
from backfill.running.worker import require_ours
from backfill.settings import Settings
from backfill.slices import Slices
from backfill.status import Status

SHOWN = 5
"""Rows that are named among those left."""


@dataclass(frozen=True)
class Undone:
    """What became of a run that was to be undone."""

    run: Run
    restored: int
    """Rows put back by this call."""
    left: int
    """Rows that somebody changed since or stands in the way of, and that stay as they are."""
    named: Sequence[tuple[str, Key]]
    """Table and key of the first of these."""

    def told_of_rest(self) -> str:
        """What was left, and what may be done about it."""
        first = ", ".join(f"{table} {printable_key(key)}" for table, key in self.named)
        forget = f"backfill forget {self.run.name}"
        return f"{self.run.reason}. First: {first}. Images are kept of them; to drop these: {forget}"


def undo(database: Database, name: str, settings: Settings) -> list[Undone]:
    """Take back what the runs of `name` wrote, the newest first; goes on where it was interrupted.

    Raises:
        Refused: a run wrote rows and kept no images, or somebody is at work on it; nothing was undone.
        Stopped: work is left; the same call goes on with it.
    """
    ledger = Ledger(database)
    with explained():
        runs = [run for run in reversed(ledger.runs(name)) if _has_written(database, run)]
        for run in runs:
            _require_nobody_at_work(database, run)
            _require_images(database, run)
        with StopRequest() as stop, Progress(f"undo {name}") as progress:
            patience = Patience(database, settings.attempts, progress, stop)
            return [_Session(database, run, settings, patience, progress).finish() for run in runs]


def forget(database: Database, name: str) -> int:
    """Drop the images of every run of `name`: none of them can be undone any more. Gives how many tables went.

    Raises:
        Refused: a run is at work, or is being undone.
    """
    images = Images(database)
    gone = 0
    for run in Ledger(database).runs(name):
        if run.status in (Status.RUNNING, Status.UNDOING):
            raise Refused(
                f"{name} is {run.status}, and needs its images. See it with: backfill status {name}",
                code="images-needed",
            )
        kept = images.of_run(run.id)
        images.drop(kept)
        gone += len(kept)
    return gone


def _has_written(database: Database, run: Run) -> bool:
    if run.status is Status.UNDONE:
        return bool(Images(database).of_run(run.id))
    return True


def _require_nobody_at_work(database: Database, run: Run) -> None:
    if run.status is not Status.RUNNING:
        return
    for slice_ in Slices(database).open_of_run(run.id):
        if slice_.owner and not slice_.has_lapsed and not is_dead(slice_.owner):
            raise RunHeld(
                f"{run.name} is being run by {describe(slice_.owner)}, so nothing was undone. First: backfill cancel "
                f"{run.name}"
            )


def _require_images(database: Database, run: Run) -> None:
    if run.rows_written and not (run.keeps_undo and Images(database).of_run(run.id)):
        raise Refused(
            f"{run.name} has written {counted(run.rows_written, 'row')} and keeps no images of what they held, so "
            "nothing was undone: it ran without keep_undo, or they were dropped by `backfill forget`. A downgrade that "
            f'need not restore anything says reset_backfill("{run.name}")',
            code="images-not-kept",
        )


class _Session:
    """The undoing of one run."""

    def __init__(
        self, database: Database, run: Run, settings: Settings, patience: Patience, progress: Progress
    ) -> None:
        self._database = database
        self._run = run
        self._seconds = settings.lease_seconds
        self._patience = patience
        self._progress = progress
        self._ledger = Ledger(database)
        self._slices = Slices(database)
        self._images = Images(database)
        self._leases = Leases(database, run.name, new_owner(), self._seconds, patience, progress)
        tables = Tables(database)
        self._restorations = [Restoration(database, tables, image) for image in self._images.of_run(run.id)]
        self._restored = 0

    def finish(self) -> Undone:
        """Walk every slice back to its beginning; the last one first."""
        self._progress.begin(0, self._run.rows_written)
        self._begin()
        for slice_ in reversed(self._slices.open_of_run(self._run.id)):
            held = self._leases.claim(slice_)
            try:
                while self._step_back(held):
                    pass
            finally:
                self._leases.release(held)
        return self._end()

    def _begin(self) -> None:
        """From here on no batch of the run commits any more."""

        def begin() -> None:
            now = self._latest()
            if now.status is not Status.UNDOING:
                self._slices.reopen(now.id)
            self._ledger.move(now, Status.UNDOING)

        self._patience.record(begin)

    def _step_back(self, held: Slice) -> bool:
        """Undo one batch; whether there may be one before it."""
        try:
            restored = self._patience.record(lambda: self._undo_batch(held))
        except Faulted as error:
            if error.fault not in (Fault.ROW, Fault.TOO_SLOW):
                raise
            self._undo_row_by_row(held)
            return True
        self._note(restored or 0)
        return restored is not None

    def _undo_batch(self, held: Slice) -> int | None:
        """How many rows were put back; None when nothing is left of the slice."""
        seen = self._seen(held)
        if not seen.is_open:
            return None
        seq = self._newest(seen)
        writes = self._writes(seen.number, seq) if seq is not None else ()
        restored = sum(restoration.restore(stamp) for restoration, stamp in writes)
        self._slices.retreat(seen, seq or 0, self._seconds)
        return restored

    # ── where the database refuses a row ────────────────────────────────────────────────────────────────────────

    def _undo_row_by_row(self, held: Slice) -> None:
        """Each row in a transaction of its own; the images of those that are refused stay."""
        seen = self._seen(held)
        seq = self._newest(seen)
        assert seq is not None, "it was about to be undone"
        for restoration, stamp in self._writes(seen.number, seq):
            for key in restoration.keys_of(stamp):
                self._undo_row(held, restoration, stamp, key)
        self._patience.record(lambda: self._slices.retreat(self._seen(held), seq, self._seconds))

    def _undo_row(self, held: Slice, restoration: Restoration, stamp: Stamp, key: Key) -> None:
        def undo_row() -> int:
            seen = self._seen(held)
            restored = restoration.restore(stamp, key)
            self._slices.retreat(seen, seen.seq, self._seconds)
            return restored

        try:
            self._note(self._patience.record(undo_row))
        except Faulted as error:
            if error.fault is not Fault.ROW:
                raise

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _seen(self, held: Slice) -> Slice:
        seen = self._slices.reread(held)
        require_ours(held, seen, Status.UNDOING)
        return seen

    def _newest(self, seen: Slice) -> int | None:
        found = (restoration.newest(seen.number, seen.seq) for restoration in self._restorations)
        return max((seq for seq in found if seq is not None), default=None)

    def _writes(self, slice_number: int, seq: int) -> Iterator[tuple[Restoration, Stamp]]:
        """The writes of a batch, the last one first."""
        numbered = (
            (number, restoration)
            for restoration in self._restorations
            for number in restoration.writes_of(slice_number, seq)
        )
        for number, restoration in sorted(numbered, key=lambda pair: -pair[0]):
            yield restoration, (slice_number, seq, number)

    def _latest(self) -> Run:
        return next(run for run in self._ledger.runs(self._run.name) if run.id == self._run.id)

    def _note(self, restored: int) -> None:
        self._restored += restored
        self._progress.advance(restored, restored)

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _end(self) -> Undone:
        left, named = self._patience.record(self._look_back)
        several = f"{left:,} rows stay as they are: they were changed since, or others are in their way"
        reason = {0: None, 1: "1 row stays as it is: it was changed since, or another is in its way"}.get(left, several)
        self._patience.record(lambda: self._ledger.move(self._latest(), Status.UNDONE, reason))
        if not left:
            self._images.drop([restoration.image for restoration in self._restorations])
        return Undone(self._latest(), self._restored, left, named)

    def _look_back(self) -> tuple[int, Sequence[tuple[str, Key]]]:
        """How many rows are not as they were, and the first of them."""
        left = sum(restoration.count() for restoration in self._restorations)
        named = ((each.image.table, key) for each in self._restorations for key in each.first_keys(SHOWN))
        return left, list(islice(named, SHOWN))
