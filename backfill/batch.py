"""Slice, Batch, BatchSize, Tally and Outcome: which keys a worker owns, which it takes next, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from backfill.key import Key, decode_key
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
    keeps_undo: bool
    """Its run keeps images of what it writes."""
    rows_estimated: int | None
    """Of the whole run."""
    rows_read: int
    rows_written: int
    state: str | None
    """What the function carries from batch to batch, as JSON."""

    @property
    def has_lapsed(self) -> bool:
        """Whether its owner has been silent for longer than its lease."""
        return self.lease_left is not None and self.lease_left < 0

    @classmethod
    def of(cls, row: Any) -> Self:
        """The slice that a row of the ledger describes."""
        return cls(
            run_id=row.run_id,
            number=row.number,
            table=row.table_name,
            sweep=row.sweep,
            hi=None if row.hi is None else decode_key(row.hi),
            checkpoint=None if row.checkpoint is None else decode_key(row.checkpoint),
            epoch=row.epoch,
            seq=row.seq,
            is_open=row.is_open,
            owner=row.owner,
            lease_left=None if row.lease_left is None else float(row.lease_left),
            run_status=Status(row.status),
            keeps_undo=bool(row.keeps_undo),
            rows_estimated=row.rows_estimated,
            rows_read=row.rows_read,
            rows_written=row.rows_written,
            state=row.state,
        )


@dataclass(frozen=True)
class Tally:
    """What became of rows: of those that were read, and in other tables."""

    updated: int = 0
    inserted: int = 0
    deleted: int = 0
    skipped: int = 0
    """Rows that the function left as they are."""

    @property
    def written(self) -> int:
        """All that was written."""
        return self.updated + self.inserted + self.deleted

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.updated + other.updated,
            self.inserted + other.inserted,
            self.deleted + other.deleted,
            self.skipped + other.skipped,
        )


@dataclass(frozen=True)
class Batch:
    """The keys of one transaction: `(after, upto]`."""

    after: Key | None
    upto: Key
    rows: int
    """Keys in the range when the boundary was read."""
    hi: Key
    """The last place of the slice."""
    is_counted: bool = True
    """Otherwise `rows` is the most that there can be."""
    gaps: int = 0
    """How many rows fewer there were than that."""

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it in the slice."""
        return self.upto == self.hi


@dataclass(frozen=True)
class Outcome:
    """What came of one batch."""

    batch: Batch
    tally: Tally
    state: str | None = None
    """What the next batch begins with, as JSON."""
    rate: float | None = None
    """Rows per second of late."""


class BatchSize:
    """How many rows the next batch takes: adapts towards a duration, within hard bounds.

    Where a condition takes few of the rows, the batch looks at more of them, in a window that is bounded too.
    """

    GROWTH = 2.0
    """At most twice as many rows as last time, so that one fast batch proves little."""
    SHRINK = 0.25
    """At least a quarter as many, so that one stall does not cost an hour of tiny batches."""
    WIDEST = 20
    """Times as many rows are looked at as are taken, at most, so that no statement runs long."""

    def __init__(self, start: int, most: int, seconds: float) -> None:
        self.rows = min(start, most)
        self._most = most
        self._seconds = seconds
        self._share_taken = 1.0
        self._before_search = 0
        self._was_alone = False

    @property
    def window(self) -> int:
        """How many rows to look at, to find so many that are taken."""
        return min(round(self.rows / self._share_taken), self.rows * self.WIDEST)

    def learn(self, rows: int, seconds: float, taken: int | None = None) -> None:
        """Take note that a batch of `rows`, of which so many were taken, took `seconds`; short ones teach nothing."""
        self._was_alone = False
        taken = rows if taken is None else min(taken, rows)
        if (rows < self.window and taken < self.rows) or seconds <= 0:
            return
        self._share_taken = max(taken, 1) / rows
        factor = min(max(self._seconds / seconds, self.SHRINK), self.GROWTH)
        self.rows = min(max(round(self.rows * factor), 1), self._most)

    def halve(self) -> bool:
        """Half as many rows; False when there is nothing left to halve."""
        if self.rows == 1:
            return False
        self.rows //= 2
        return True

    def search(self) -> bool:
        """Half as many rows, until the one at fault stands alone; False when it fails a second time.

        What another worker has just committed may have been in its way, and is seen by whoever looks again.
        """
        self._before_search = max(self._before_search, self.rows)
        was_alone, self._was_alone = self._was_alone, self.rows == 1
        return self.halve() or not was_alone

    def end_search(self) -> None:
        """As many rows as before: it was one of them that failed, and not their number."""
        self.rows = max(self.rows, self._before_search)
        self._before_search = 0
        self._was_alone = False
