"""Worker: walks one slice, batch by batch; each batch and its checkpoint are one transaction.

BEGIN, settings pinned
  the slice, as the ledger has it       where to go on is never remembered, always read
  the batch's last key                  asked of the database, which alone orders keys; or reckoned
  lock and read → apply → write
  guarded write of the slice            finds nothing if another worker has taken the slice over, if anything inside
                                        ended the transaction, or if the table is not what it was
COMMIT
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from backfill.batch import Batch, BatchSize, Outcome, Slice, Tally
from backfill.checks import Examination
from backfill.database import Database
from backfill.errors import Fenced, Paused, RowRejected
from backfill.fault import Fault, Faulted
from backfill.key import printable_key
from backfill.rows.drift import Drift
from backfill.rows.given import Given
from backfill.rows.journal import Journal, NoImage
from backfill.rows.source import Source
from backfill.running.collector import collect_young
from backfill.running.patience import Patience, explained
from backfill.running.progress import Progress
from backfill.running.sieve import Sieve
from backfill.running.stop import Stop
from backfill.running.vacuum import Vacuum
from backfill.sentinel import Sentinel
from backfill.settings import Settings
from backfill.slices import Guard, Slices
from backfill.status import Status


class Worker:
    """Walks slices of a run for one process."""

    def __init__(
        self,
        database: Database,
        sources: Sequence[Source],
        examination: Examination,
        settings: Settings,
        progress: Progress,
        stop: Stop,
    ) -> None:
        self._database = database
        self._slices = Slices(database)
        self.sources = {source.name: source for source in sources}
        self.examination = examination
        self._settings = settings
        self._progress = progress
        self._size = BatchSize(settings.batch_size, settings.max_batch_size, settings.batch_seconds)
        self.patience = Patience(database, settings.attempts, progress, stop, self._size)
        self._pace = Pace()
        self._vacuum = Vacuum(database, settings.vacuum_share, progress)
        self._journal = Journal(database)
        self._drift = Drift()
        self._sieve = Sieve(database, settings, self._size)
        self._batch: Batch | None = None
        """The one at hand."""

    def walk(self, held: Slice) -> None:
        """Take batch after batch until the slice is done.

        Raises:
            Paused: this process, or `backfill pause`, asked to stop.
            Fenced: the slice is not ours any more.
            RowRejected, DatabaseFailed, LinkLost, Exhausted: as they say.
        """
        with explained(), self._naming_the_row():
            self._sieve.turn_to(held, self.sources[held.table])
            while self.patience.patiently(lambda: self._commit_batch(held)):
                collect_young()
            with self._database.faults():
                require_ours(held, self._slices.reread(held))

    @property
    def batch_rows(self) -> int:
        """Rows that the next batch looks at."""
        return self._size.window

    def _commit_batch(self, held: Slice) -> bool:
        """Take the next batch; whether there is another behind it."""
        try:
            return self._try_batch(held)
        except NoImage as missing:
            self._journal.create(missing)
        except RowRejected as error:
            self._sieve.sift(error, self.sources[held.table])
        except Faulted as error:
            if error.fault is Fault.SCHEMA:
                self._drift.name_what_is_gone(self.sources[held.table])
            if error.fault is not Fault.ROW or self._size.rows > 1 or not self._sieve.is_open:
                raise
            why = f"the database refuses what is written for it ({error.code})"
            self._sieve.sift(RowRejected(why), self.sources[held.table])
        return True

    def _try_batch(self, held: Slice) -> bool:
        started = time.perf_counter()
        with self._database.transaction():
            with self._database.sentinel() as sentinel:
                seen = self._slices.reread(held)
                require_ours(held, seen)
                if not seen.is_open:
                    return False
                batch = self._next_batch(seen)
                self._sieve.look_at(seen, batch)
                tally, state = self._fill(seen, batch, sentinel)
                batch = self.sources[seen.table].counted(batch, tally)
                self._sieve.record()
            self._pace.learn(batch.rows, time.perf_counter() - started)
            told = replace(tally, skipped=0) if seen.sweep else tally  # the walk has told of them
            self._advance(seen, Outcome(batch, told, state, self._pace.rows_per_second), sentinel)
        seconds = time.perf_counter() - started
        source, taken = self.sources[seen.table], tally.written + tally.skipped
        self._size.learn(batch.rows + batch.gaps, seconds, taken + batch.gaps if source.is_selective else None)
        self._sieve.note_commit(source, taken)
        self._vacuum.note(source, batch.rows)
        self._progress.advance(0 if seen.sweep else batch.rows, tally.written)
        self._rest(seconds)
        return not batch.is_last

    def _rest(self, seconds: float) -> None:
        """Leave the time to others after a batch that took so long."""
        duty = self._settings.duty
        rest = max(self._database.dialect.rest(seconds), seconds * (1 - duty) / duty)
        if rest:
            time.sleep(rest)

    def _next_batch(self, seen: Slice) -> Batch:
        assert seen.hi is not None, "an open slice has a last key"
        self._batch = self.sources[seen.table].next_batch(seen.checkpoint, seen.hi, self._size.window, self._size.rows)
        return self._batch

    def _fill(self, seen: Slice, batch: Batch, sentinel: Sentinel) -> tuple[Tally, str | None]:
        """Read, apply and write one batch; gives what became of it, and the state that the next one begins with."""
        source = self.sources[seen.table]
        given = Given(source.transform, self._database, self._state_of(seen, source))
        reading = source.read(batch)
        with sentinel.over():
            answer = source.apply(reading, given)
        for finding in self.examination.admit(source, answer.writes):
            self._progress.say(finding.message)
        if reading.rows or reading.columns is not None:
            sentinel.check()  # the function has run: had it ended the transaction, each write would stand at once
        record = self._journal.record(seen)
        tally = source.write(answer.writes, batch, reading, only_changes=seen.sweep > 0, record=record)
        return tally + Tally(updated=answer.performed, skipped=answer.skipped), given.state()

    def _advance(self, seen: Slice, outcome: Outcome, sentinel: Sentinel) -> None:
        """The guarded write; where it finds nothing to write, say what stood against it."""
        source = self.sources[seen.table]

        def advance() -> None:
            guards = [Guard(sentinel.is_whole), self._drift.guard(source)]
            self._slices.advance(seen, outcome, self._settings.lease_seconds, guards)

        try:
            advance()
        except Fenced:
            sentinel.look_back()
            if not self._drift.passes(source):
                raise
            advance()

    def _state_of(self, seen: Slice, source: Source) -> str | None:
        """What is carried into the batch; the first one of a table goes on from the table before."""
        if seen.state is None and source.transform.given.state is not None:
            return self._slices.state_before(seen)
        return seen.state

    @contextmanager
    def _naming_the_row(self) -> Iterator[None]:
        """A batch that the database refuses has been halved until the row at fault stood alone."""
        try:
            yield
        except Faulted as error:
            if error.fault is not Fault.ROW or self._batch is None or not self._batch.upto:
                raise
            row = printable_key(self._batch.upto)
            raise RowRejected(f"row {row}: the database refuses what is written for it ({error.code})") from None


class Pace:
    """Rows per second of late: a moving average in which the last ten seconds weigh most."""

    MEMORY_SECONDS = 10.0

    def __init__(self) -> None:
        self.rows_per_second: float | None = None

    def learn(self, rows: int, seconds: float) -> None:
        """Take note of a batch."""
        if seconds <= 0:
            return
        rate = rows / seconds
        weight = min(1.0, seconds / self.MEMORY_SECONDS)
        past = self.rows_per_second
        self.rows_per_second = rate if past is None else past + weight * (rate - past)


def require_ours(held: Slice, seen: Slice, wanted: Status = Status.RUNNING) -> None:
    """Raise what says why the slice, as it is now seen, may not be worked on any more by its holder."""
    if seen.run_status is Status.CANCELLED:
        raise Fenced("the run was cancelled; its finished batches stay. See it with: backfill status", goes_on=False)
    if seen.epoch != held.epoch:
        raise Fenced("another worker took the slice over")
    if seen.run_status is Status.PAUSED:
        raise Paused("paused by `backfill pause`")
    if seen.run_status is not wanted:
        raise Fenced(f"the run is {seen.run_status} now")
