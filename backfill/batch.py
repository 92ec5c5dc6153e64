"""Slice, Batch and BatchSize: which keys a worker owns, which it takes next, and how many."""

from __future__ import annotations

from dataclasses import dataclass

from backfill.key import Key
from backfill.status import Status


@dataclass(frozen=True)
class Slice:
    """A range of keys `(lo, hi]` of one table that one worker owns, and how far it has come."""

    run_id: int
    number: int
    table: str
    sweep: int
    """0 for the walk over the rows; 1, 2, … for the residual scans after it."""
    hi: Key | None
    """None: the table was empty when the slice was cut."""
    checkpoint: Key | None
    """The last key committed; None before the first batch."""
    epoch: int
    seq: int
    is_open: bool
    owner: str | None
    lease_left: float | None
    """Seconds until the owner's lease ends, by the database's clock; None without an owner."""
    run_status: Status
    rows_read: int
    rows_written: int


@dataclass(frozen=True)
class Batch:
    """The keys of one transaction: `(after, upto]`."""

    after: Key | None
    upto: Key
    rows: int
    """Keys in the range when the boundary was read."""
    is_last: bool
    """`upto` is the end of the slice."""


class BatchSize:
    """How many rows the next batch takes: adapts towards a duration, within hard bounds."""

    GROWTH = 2.0
    """At most twice as many rows as last time, so that one fast batch proves little."""
    SHRINK = 0.25
    """At least a quarter as many, so that one stall does not cost an hour of tiny batches."""

    def __init__(self, start: int, most: int, seconds: float) -> None:
        self.rows = min(start, most)
        self._most = most
        self._seconds = seconds

    def learn(self, rows: int, seconds: float) -> None:
        """Take note that a batch of `rows` took `seconds`; short last batches teach nothing."""
        if rows < self.rows or seconds <= 0:
            return
        factor = min(max(self._seconds / seconds, self.SHRINK), self.GROWTH)
        self.rows = min(max(round(self.rows * factor), 1), self._most)

    def halve(self) -> bool:
        """Half as many rows; False when there is nothing left to halve."""
        if self.rows == 1:
            return False
        self.rows //= 2
        return True
