"""Patience: takes a transaction again while others are in its way, and says what a fault means that stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from backfill.batch import BatchSize
from backfill.database import Database
from backfill.errors import DatabaseFailed, Exhausted, LinkLost, Paused, RowRejected
from backfill.fault import Fault, Faulted
from backfill.running.progress import Progress
from backfill.running.stop import Stop

T = TypeVar("T")

_BACKOFF = wait_random_exponential(multiplier=0.05, max=2)


class Patience:
    """Repeats what may be repeated, for one process, until it is asked to stop."""

    def __init__(
        self, database: Database, attempts: int, progress: Progress, stop: Stop, size: BatchSize | None = None
    ) -> None:
        self._database = database
        self._most = attempts
        self._progress = progress
        self._stop = stop
        self._size = size
        """Of the batches, where there are any that half as many rows could help."""

    def patiently(self, work: Callable[[], T]) -> T:
        """Do one transaction's work, again and again while others are in its way."""

        def attempt() -> T:
            self.heed_stop()
            return work()

        return self._attempts()(attempt)

    def record(self, work: Callable[[], T]) -> T:
        """One transaction on the ledger, taken again while others are in its way."""

        def transaction() -> T:
            with self._database.transaction():
                return work()

        return self.patiently(transaction)

    def heed_stop(self) -> None:
        """Raise Paused if this process was asked to stop."""
        if self._stop.reason:
            raise Paused(self._stop.reason)

    def _attempts(self) -> Retrying:
        conflicts = count(1)

        def enough(state: RetryCallState) -> bool:
            return _fault_of(state) is Fault.CONFLICT and next(conflicts) >= self._most

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
        if self._size is not None and error.fault is Fault.TOO_SLOW:
            return self._size.halve()
        if self._size is not None and error.fault is Fault.ROW:
            return self._size.search()
        return error.fault is Fault.CONFLICT

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        going_on = "taking the batch again"
        if _fault_of(state) is Fault.ROW and self._size is not None:
            going_on = f"looking for the row at fault, {self._size.rows:,} at a time"
        self._progress.wait(f"{error}; {going_on}")


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
        Fault.SCHEMA: DatabaseFailed(f"a table or column is not there ({error.code})"),
    }
    return known.get(error.fault) or DatabaseFailed(f"the database refuses the batch ({error.code})")
