"""Worker: walks one slice, batch by batch; each batch and its checkpoint are one transaction.

BEGIN, settings pinned
  SAVEPOINT sentinel
    the slice, as the ledger has it     where to go on is never remembered, always read
    the batch's last key                read from the database, which alone orders keys
    lock and read → apply → write
  RELEASE sentinel                      fails if anything inside ended the transaction
  guarded write of the slice            fails if another worker has taken it over
COMMIT
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from backfill.batch import Batch, BatchSize, Slice, Tally
from backfill.checks import Examination
from backfill.database import Database
from backfill.errors import DatabaseFailed, Exhausted, Fenced, LinkLost, Paused, RowRejected
from backfill.fault import Fault, Faulted
from backfill.key import printable_key
from backfill.rows.given import Given
from backfill.rows.source import Source
from backfill.running.collector import collect_young
from backfill.running.progress import Progress
from backfill.running.stop import Stop
from backfill.running.vacuum import Vacuum
from backfill.settings import Settings
from backfill.slices import Slices
from backfill.status import Status

T = TypeVar("T")

_BACKOFF = wait_random_exponential(multiplier=0.05, max=2)


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
        self._stop = stop
        self._size = BatchSize(settings.batch_size, settings.max_batch_size, settings.batch_seconds)
        self._pace = Pace()
        self._vacuum = Vacuum(database, settings.vacuum_share, progress)
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
            while self.patiently(lambda: self._commit_batch(held)):
                collect_young()
            with self._database.faults():
                require_ours(held, self._slices.reread(held))

    def patiently(self, work: Callable[[], T]) -> T:
        """Do one transaction's work, again and again while others are in its way."""
        for attempt in self._attempts():
            with attempt:
                self.heed_stop()
                return work()
        raise AssertionError("tenacity either returns or raises")

    def record(self, work: Callable[[], T]) -> T:
        """One transaction on the ledger, taken again while others are in its way."""

        def transaction() -> T:
            with self._database.transaction():
                return work()

        return self.patiently(transaction)

    @property
    def batch_rows(self) -> int:
        """Rows that the next batch looks at."""
        return self._size.window

    def heed_stop(self) -> None:
        """Raise Paused if this process was asked to stop."""
        if self._stop.reason:
            raise Paused(self._stop.reason)

    def _commit_batch(self, held: Slice) -> bool:
        """Take the next batch; whether there is another behind it."""
        started = time.perf_counter()
        with self._database.transaction():
            with self._database.sentinel() as check:
                seen = self._slices.reread(held)
                require_ours(held, seen)
                if not seen.is_open:
                    return False
                batch = self._next_batch(seen)
                tally, state = self._fill(seen, batch, check)
            self._pace.learn(batch.rows, time.perf_counter() - started)
            self._slices.advance(
                seen,
                batch,
                tally,
                lease_seconds=self._settings.lease_seconds,
                rate=self._pace.rows_per_second,
                state=state,
            )
        seconds = time.perf_counter() - started
        source = self.sources[seen.table]
        self._size.learn(batch.rows, seconds, tally.written + tally.skipped if source.is_selective else None)
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

    def _fill(self, seen: Slice, batch: Batch, check: Callable[[], None]) -> tuple[Tally, str | None]:
        """Read, apply and write one batch; gives what became of it, and the state that the next one begins with."""
        source = self.sources[seen.table]
        given = Given(source.transform, self._database, self._state_of(seen, source))
        reading = source.read(batch)
        answer = source.apply(reading, given)
        for finding in self.examination.admit(source, answer.writes):
            self._progress.say(finding.message)
        if reading.rows or reading.columns is not None:
            check()  # the function has run: had it ended the transaction, each write would stand at once
        tally = source.write(answer.writes, batch, reading, only_changes=seen.sweep > 0)
        return tally + Tally(updated=answer.performed, skipped=answer.skipped), given.state()

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

    def _attempts(self) -> Retrying:
        conflicts = count(1)

        def enough(state: RetryCallState) -> bool:
            return _fault_of(state) is Fault.CONFLICT and next(conflicts) >= self._settings.attempts

        return Retrying(
            retry=retry_if_exception(self._may_repeat),
            wait=_pause,
            stop=enough,
            before_sleep=self._tell,
            reraise=True,
        )

    def _may_repeat(self, error: BaseException) -> bool:
        if not isinstance(error, Faulted):
            return False
        if error.fault in (Fault.TOO_SLOW, Fault.ROW):  # of a row's fault until it stands alone, and can be named
            return self._size.halve()
        return error.fault is Fault.CONFLICT

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        going_on = "taking the batch again"
        if _fault_of(state) is Fault.ROW:
            going_on = f"looking for the row at fault, {self._size.rows:,} at a time"
        self._progress.wait(f"{error}; {going_on}")


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


def require_ours(held: Slice, seen: Slice) -> None:
    """Raise what says why the slice, as it is now seen, may not be worked on any more by its holder."""
    if seen.run_status is Status.CANCELLED:
        raise Fenced("the run was cancelled; its finished batches stay. See it with: backfill status")
    if seen.epoch != held.epoch:
        raise Fenced("another worker took the slice over")
    if seen.run_status is Status.PAUSED:
        raise Paused("paused by `backfill pause`")
    if seen.run_status is not Status.RUNNING:
        raise Fenced(f"the run is {seen.run_status} now")


def _fault_of(state: RetryCallState) -> Fault | None:
    error = state.outcome.exception() if state.outcome else None
    return error.fault if isinstance(error, Faulted) else None


def _pause(state: RetryCallState) -> float:
    """Seconds before the next attempt; a row that does not fit gets better by no waiting."""
    if _fault_of(state) is Fault.ROW:
        return 0.0
    return float(_BACKOFF(state))


@contextmanager
def explained() -> Iterator[None]:
    """Say what a fault that may not be repeated means for the run."""
    try:
        yield
    except Faulted as error:
        raise _failure(error) from None


def _failure(error: Faulted) -> Exception:
    """What a fault that may not be repeated means for the run."""
    known = {
        Fault.CONFLICT: Exhausted(
            f"the database stayed busy through every attempt ({error.code}): somebody holds locks on these rows"
        ),
        Fault.TOO_SLOW: Exhausted(f"even one row at a time takes longer than the statement limit ({error.code})"),
        Fault.LINK: LinkLost(f"the connection to the database is gone ({error.code})"),
        Fault.UNWRITABLE: Paused(
            f"the database cannot be written now ({error.code}): read-only, full or out of memory"
        ),
        Fault.ROW: RowRejected(f"the database refuses a row of this batch ({error.code})"),
        Fault.SCHEMA: DatabaseFailed(f"a table or column is not there any more ({error.code})"),
    }
    return known.get(error.fault) or DatabaseFailed(f"the database refuses the batch ({error.code})")
