"""Wrong protocols: batches that are committed otherwise than in one transaction with their checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from sqlalchemy import update

from backfill.batch import Outcome, Slice, Tally
from backfill.database import Database
from backfill.fault import Faulted
from backfill.key import encode_key
from backfill.rows.writer import Writer
from backfill.running.worker import Worker
from backfill.schema import slice_
from backfill.sentinel import Sentinel
from backfill.slices import Slices

Changes = list[tuple[type, str, Any]]
"""Of which class, which attribute, and what stands there instead."""

original_advance = Slices.advance


def checkpoint_before_data(worker: Any, held: Slice) -> bool:
    """The checkpoint in a transaction of its own, before the rows'."""
    with worker._database.transaction():
        seen = worker._slices.reread(held)
        batch = worker._next_batch(seen)
        worker._slices.advance(seen, Outcome(batch, Tally(batch.rows)), 30)
    with worker._database.transaction():
        worker._fill(seen, batch, Unguarded.of(worker))
    return not batch.is_last


def checkpoint_after_data(worker: Any, held: Slice) -> bool:
    """The checkpoint in a transaction of its own, after the rows'."""
    with worker._database.transaction():
        seen = worker._slices.reread(held)
        batch = worker._next_batch(seen)
        tally, _ = worker._fill(seen, batch, Unguarded.of(worker))
    with worker._database.transaction():
        worker._slices.advance(seen, Outcome(batch, tally), 30)
    return not batch.is_last


def checkpoint_elsewhere(worker: Any, held: Slice) -> bool:
    """By a second connection, whose COMMIT knows nothing of the first one's."""
    with Database.of(worker._database.connection.engine) as elsewhere, worker._database.transaction():
        seen = worker._slices.reread(held)
        batch = worker._next_batch(seen)
        tally, _ = worker._fill(seen, batch, Unguarded.of(worker))
        with elsewhere.transaction():
            Slices(elsewhere).advance(seen, Outcome(batch, tally), 30)
    return not batch.is_last


def state_after_commit(worker: Any, held: Slice) -> bool:
    """What is carried from batch to batch, in a transaction behind the batch's."""
    with worker._database.transaction():
        with worker._database.sentinel() as sentinel:
            seen = worker._slices.reread(held)
            batch = worker._next_batch(seen)
            tally, state = worker._fill(seen, batch, sentinel)
        worker._slices.advance(seen, Outcome(batch, tally, seen.state), 30)
    with worker._database.transaction():
        of_slice = (slice_.c.run_id == seen.run_id, slice_.c.number == seen.number)
        worker._database.connection.execute(update(slice_).where(*of_slice).values(state=state))
    return not batch.is_last


def inserts_after_commit() -> Changes:
    """Rows are not inserted before the batch and its checkpoint are committed."""
    late: list[Callable[[], Tally]] = []
    insert, commit_batch = Writer._insert, Worker._commit_batch

    def put_off(writer: Writer, table: Any, shape: Any, rows: Any) -> Tally:
        late.append(lambda: insert(writer, table, shape, rows))
        return Tally(inserted=len(rows.rows))

    def commit(worker: Any, held: Slice) -> bool:
        late.clear()
        is_more = commit_batch(worker, held)
        with worker._database.transaction():
            for write in late:
                write()
        return is_more

    return [(Writer, "_insert", put_off), (Worker, "_commit_batch", commit)]


def retry_from_memory(worker: Any, held: Slice) -> bool:
    """The same batch again after an error, whatever the ledger says."""
    with worker._database.transaction():
        seen = worker._slices.reread(held)
        batch = worker._next_batch(seen)

    def commit() -> None:
        with worker._database.transaction():
            tally, _ = worker._fill(seen, batch, Unguarded.of(worker))
            guard()(worker._slices, seen, Outcome(batch, tally))

    try:
        commit()
    except Faulted:
        connection = worker._database.connection.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        for user in (worker._database, *(target.database for target in worker.sources.values())):
            user.connection = connection
        worker._slices._connection = connection
        commit()
    return not batch.is_last


class Unguarded(Sentinel):
    """No sentinel stands here."""

    @classmethod
    def of(cls, worker: Worker) -> Self:
        """On the worker's connection."""
        return cls(worker._database.connection, worker._database.dialect)

    def check(self) -> None:
        """Find nothing."""


def guard(*kept: str, checks_rowcount: bool = True) -> Callable[..., None]:
    """`advance` with only these columns of its guard."""

    def advance(slices: Any, seen: Slice, outcome: Outcome, *_: Any) -> None:
        batch, tally = outcome.batch, outcome.tally
        guards = [slice_.c[name] == getattr(seen, name) for name in kept]
        moved = slices._connection.execute(
            update(slice_)
            .where(slice_.c.run_id == seen.run_id, slice_.c.number == seen.number, *guards)
            .values(
                checkpoint=encode_key(batch.upto),
                seq=seen.seq + 1,
                is_open=not batch.is_last,
                rows_read=slice_.c.rows_read + batch.rows,
                rows_written=slice_.c.rows_written + tally.written,
            )
        )
        if checks_rowcount and moved.rowcount != 1:
            original_advance(slices, seen, outcome, 30)  # raises Fenced

    return advance
