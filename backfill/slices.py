"""Slices: the ledger's record of which keys a worker owns and how far it has come; only this module writes them.

The guarded write in `advance` is checkpoint, fence, double-apply guard and the answer to "did my COMMIT arrive?"
at once: it names the epoch and the sequence number that this worker has seen, and it stands in the batch's own
transaction, after the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from typing import Any

from sqlalchemy import Select, Update, and_, bindparam, func, insert, or_, select, true, update

from backfill import schema
from backfill.batch import Outcome, Slice
from backfill.database import Database
from backfill.declaration.conditions import Condition
from backfill.dialect import Dialect
from backfill.errors import Fenced
from backfill.key import Key, encode_key

COUNTS = ("rows_written", "rows_inserted", "rows_deleted", "rows_skipped")

_run, _slice = schema.run, schema.slice_


@dataclass(frozen=True)
class Guard:
    """What else must hold when a batch ends. The condition is always the same, so that statements can be kept."""

    condition: Condition
    values: dict[str, Any] = field(default_factory=dict)


UNGUARDED = Guard(true())


class Slices:
    """The slices of the runs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection
        self._clock = database.dialect.clock
        self._advancing = lru_cache(partial(_advancing, database.dialect))

    def add(self, run_id: int, table: str, sweep: int, hi: Key | None, after: Key | None = None) -> None:
        """Cut a slice that ends at `hi`; without a last key there is nothing in it, and it is born closed."""
        self._insert(
            run_id,
            table_name=table,
            sweep=sweep,
            hi=None if hi is None else encode_key(hi),
            checkpoint=None if after is None else encode_key(after),
            is_open=hi is not None,
        )

    def of_run(self, run_id: int) -> Sequence[Slice]:
        """All slices of a run, in the order in which they are walked."""
        with self._database.faults():
            rows = self._connection.execute(_selecting(self._database.dialect), {"of_run": run_id})
            return [Slice.of(row) for row in rows]

    def open_of_run(self, run_id: int) -> Sequence[Slice]:
        """Those of them in which rows are left."""
        with self._database.faults():
            rows = self._connection.execute(_selecting_open(self._database.dialect), {"of_run": run_id})
            return [Slice.of(row) for row in rows]

    def reread(self, held: Slice) -> Slice:
        """The slice as the ledger has it now: the only place from which a worker goes on."""
        statement = _selecting_one(self._database.dialect)
        return Slice.of(self._connection.execute(statement, {"of_run": held.run_id, "seen_number": held.number}).one())

    def state_before(self, seen: Slice) -> str | None:
        """The state in which the slices before this one were left."""
        earlier = select(_slice.c.state).where(
            _slice.c.run_id == seen.run_id, _slice.c.number < seen.number, _slice.c.state.is_not(None)
        )
        state: str | None = self._connection.execute(earlier.order_by(_slice.c.number.desc()).limit(1)).scalar()
        return state

    def claim(self, seen: Slice, owner: str, seconds: float, *, from_owner: str | None) -> bool:
        """Take a slice over: it is free, its lease has run out, or it is `from_owner`'s, who is dead."""
        free = or_(
            _slice.c.owner.is_(None), _slice.c.lease_until < self._clock(), _slice.c.owner == (from_owner or owner)
        )
        claimed = self._connection.execute(
            update(_slice)
            .where(_this(seen), _slice.c.epoch == seen.epoch, _slice.c.is_open, free)
            .values(epoch=seen.epoch + 1, owner=owner, lease_until=self._clock(seconds))
        )
        return claimed.rowcount == 1

    def lock(self, held: Slice) -> Slice:
        """The slice as it is now and stays until the transaction ends; batches of other slices go on meanwhile."""
        number = select(_slice.c.number).where(_this(held))
        self._connection.execute(self._database.dialect.lock(number)).one()
        return self.reread(held)

    def part(self, locked: Slice, upto: Key, owner: str, seconds: float) -> Slice:
        """Part the front of a locked slice off, up to `upto`: a slice of its own, and the owner's.

        Raises:
            Fenced: the slice was not locked, and is not any more what was seen of it.
        """
        shortened = self._connection.execute(
            update(_slice)
            .where(_this(locked), _slice.c.epoch == locked.epoch, _slice.c.seq == locked.seq)
            .values(
                checkpoint=encode_key(upto),
                seq=locked.seq + 1,
                is_open=upto != locked.hi,
                lease_until=self._clock(seconds),
                updated_at=self._clock(),
            )
        )
        if shortened.rowcount != 1:
            raise Fenced("another worker took this slice over; nothing of it was taken")
        number = self._insert(
            locked.run_id,
            table_name=locked.table,
            sweep=locked.sweep,
            checkpoint=None if locked.checkpoint is None else encode_key(locked.checkpoint),
            hi=encode_key(upto),
            is_open=True,
            owner=owner,
            lease_until=self._clock(seconds),
        )
        statement = _selecting_one(self._database.dialect)
        return Slice.of(self._connection.execute(statement, {"of_run": locked.run_id, "seen_number": number}).one())

    def advance(self, seen: Slice, outcome: Outcome, lease_seconds: float, guards: Sequence[Guard] = ()) -> None:
        """The guarded write that ends a batch.

        Raises:
            Fenced: the slice is not what this worker has seen, or one of the guards does not hold.
        """
        batch, tally = outcome.batch, outcome.tally
        values = {
            "of_run": seen.run_id,
            "seen_number": seen.number,
            "seen_epoch": seen.epoch,
            "seen_seq": seen.seq,
            "checkpoint": encode_key(batch.upto),
            "is_open": not batch.is_last,
            "more_read": batch.rows,
            "more_written": tally.written,
            "more_inserted": tally.inserted,
            "more_deleted": tally.deleted,
            "more_skipped": tally.skipped,
            "state": outcome.state,
            "rows_per_second": outcome.rate,
        }
        for guard in guards:
            values |= guard.values
        statement = self._advancing(lease_seconds, *(guard.condition for guard in guards))
        advanced = self._connection.execute(statement, values)
        if advanced.rowcount != 1:
            raise Fenced("another worker took this slice over, or the run was cancelled; this batch was rolled back")

    def release(self, held: Slice) -> None:
        """Give a slice back, if it is still ours."""
        self._connection.execute(
            update(_slice).where(_this(held), _slice.c.epoch == held.epoch).values(owner=None, lease_until=None)
        )

    def fence(self, run_id: int) -> None:
        """From here on no batch of the run can commit, whoever is at work on it."""
        self._connection.execute(
            update(_slice)
            .where(_slice.c.run_id == run_id)
            .values(epoch=_slice.c.epoch + 1, is_open=False, owner=None, lease_until=None)
        )

    def reopen(self, run_id: int) -> None:
        """Open every slice in which something was done again, to be walked backwards; whoever was at work is fenced."""
        self._connection.execute(
            update(_slice)
            .where(_slice.c.run_id == run_id)
            .values(epoch=_slice.c.epoch + 1, is_open=_slice.c.seq > 0, owner=None, lease_until=None)
        )

    def retreat(self, seen: Slice, seq: int, lease_seconds: float) -> None:
        """The guarded write that ends the undoing of a batch: everything from `seq` on is taken back.

        Raises:
            Fenced: the slice is not what this worker has seen.
        """
        retreated = self._connection.execute(
            update(_slice)
            .where(_this(seen), _slice.c.epoch == seen.epoch, _slice.c.seq == seen.seq, _slice.c.is_open)
            .values(seq=seq, is_open=seq > 0, lease_until=self._clock(lease_seconds), updated_at=self._clock())
        )
        if retreated.rowcount != 1:
            raise Fenced("another process took this slice over; nothing of this batch was undone")

    def _insert(self, run_id: int, **values: Any) -> int:
        """Enter a slice in which nothing is done yet; gives its number."""
        highest = select(func.coalesce(func.max(_slice.c.number), 0)).where(_slice.c.run_id == run_id)
        number = int(self._connection.execute(highest).scalar_one()) + 1
        nothing = dict.fromkeys(("epoch", "seq", "rows_read", *COUNTS), 0)
        entered = {"run_id": run_id, "number": number, "updated_at": self._clock(), **nothing, **values}
        self._connection.execute(insert(_slice).values(entered))
        return number


# The statements of every batch are built once.


@cache
def _selecting(dialect: Dialect) -> Select[Any]:
    left = dialect.seconds_until(_slice.c.lease_until).label("lease_left")
    statement = select(_slice, left, _run.c.status, _run.c.keeps_undo, _run.c.rows_estimated).join(
        _run, _run.c.id == _slice.c.run_id
    )
    return statement.where(_slice.c.run_id == bindparam("of_run")).order_by(_slice.c.number)


@cache
def _selecting_open(dialect: Dialect) -> Select[Any]:
    return _selecting(dialect).where(_slice.c.is_open)


@cache
def _selecting_one(dialect: Dialect) -> Select[Any]:
    return _selecting(dialect).where(_slice.c.number == bindparam("seen_number"))


def _advancing(dialect: Dialect, lease_seconds: float, *guards: Condition) -> Update:
    more = {name: _slice.c[name] + bindparam(name.replace("rows", "more")) for name in ("rows_read", *COUNTS)}
    return (
        update(_slice)
        .where(_slice.c.run_id == bindparam("of_run"), _slice.c.number == bindparam("seen_number"))
        .where(
            _slice.c.epoch == bindparam("seen_epoch"), _slice.c.seq == bindparam("seen_seq"), _slice.c.is_open, *guards
        )
        .values(
            checkpoint=bindparam("checkpoint"),
            seq=_slice.c.seq + 1,
            is_open=bindparam("is_open"),
            state=bindparam("state"),
            rows_per_second=bindparam("rows_per_second"),
            lease_until=dialect.clock(lease_seconds),
            updated_at=dialect.clock(),
            **more,
        )
    )


def _this(slice_: Slice) -> Any:
    return and_(_slice.c.run_id == slice_.run_id, _slice.c.number == slice_.number)
