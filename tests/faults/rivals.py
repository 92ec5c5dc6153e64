"""Rivals: what somebody else does, on a connection of its own, while a run stands still between two statements."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from backfill.checks import Examination
from backfill.declaration.decorator import Transform
from backfill.ledger import Ledger
from backfill.rows.opening import open_targets
from backfill.running.control import cancel_run, pause_run
from backfill.running.leases import Leases
from backfill.running.pieces import Pieces, Share
from backfill.running.progress import Progress, Silence
from backfill.running.stop import StopRequest
from backfill.running.worker import Worker
from backfill.schema import slice_
from backfill.slices import Slices
from tests.faults.interleaving import BATCH, Rival
from tests.faults.workloads import STEP, insert_late, opened, people, run_on, settings

ONCE = settings(batch_size=BATCH, max_batch_size=BATCH, lock_seconds=0.02, attempts=1)
ADDED = 1_000


def taker(transform: Transform[..., Any]) -> Rival:
    """Another process takes the run over, because it thinks the first is dead, and does what it can of it."""
    return lambda engine: _discard(run_on(engine, transform, ONCE))


def thief(engine: sa.Engine) -> None:
    """Another process takes the slice over, and has not done a batch yet."""
    with engine.begin() as connection:
        stolen = slice_.update().where(slice_.c.is_open).values(epoch=slice_.c.epoch + 1, owner="elsewhere 1 token")
        connection.execute(stolen)


def twin(transform: Transform[..., Any]) -> Rival:
    """The same worker, under the same epoch, commits its next batch: an old COMMIT that arrives late."""

    def commit_next_batch(engine: sa.Engine) -> None:
        with opened(engine, ONCE) as database, StopRequest() as stop, Progress(transform.name) as progress:
            targets = open_targets(database, transform)
            worker: Any = Worker(database, targets, Examination(), ONCE, progress, stop)
            run = Ledger(database).latest(transform.name)
            assert run is not None
            for held in Slices(database).of_run(run.id):
                if held.is_open:
                    worker._commit_batch(held)

    return commit_next_batch


def helper(transform: Transform[..., Any]) -> Rival:
    """A helper takes a piece of the slice that is held, and walks it."""

    def take_piece(engine: sa.Engine) -> None:
        with opened(engine, ONCE) as database, StopRequest() as stop:
            worker = Worker(database, open_targets(database, transform), Examination(), ONCE, Silence(), stop)
            leases = Leases(database, transform.name, "elsewhere 1 token", 30, worker.patience, Silence())
            pieces = Pieces(database, worker, leases, "elsewhere 1 token", Share(BATCH))
            run = Ledger(database).latest(transform.name)
            assert run is not None
            for held in Slices(database).open_of_run(run.id):
                if held.owner and "." not in held.owner:  # the leader's own; those of pieces have a dot
                    pieces.walk_next(held)

    return take_piece


def canceller(name: str) -> Rival:
    """Somebody gives the run up."""
    return lambda engine: _with_database(engine, cancel_run, name)


def pauser(name: str) -> Rival:
    """Somebody asks the run to pause."""
    return lambda engine: _with_database(engine, pause_run, name)


def updater(*ids: int) -> Rival:
    """The application adds to rows."""

    def add(engine: sa.Engine) -> None:
        with engine.begin() as connection:
            connection.execute(people.update().where(people.c.id.in_(ids)).values(n=people.c.n + ADDED))

    return add


def deleter(*ids: int) -> Rival:
    """The application deletes rows."""

    def delete(engine: sa.Engine) -> None:
        with engine.begin() as connection:
            connection.execute(people.delete().where(people.c.id.in_(ids)))

    return delete


def inserter(engine: sa.Engine) -> None:
    """A transaction that began long ago commits a row with a low key."""
    insert_late(engine)


def inserter_at_the_end(engine: sa.Engine) -> None:
    """The application adds a row behind the last key."""
    with engine.begin() as connection:
        connection.execute(people.insert().values(id=10_000, n=STEP * 10_000, label="by the application"))


def _with_database(engine: sa.Engine, verb: Any, name: str) -> None:
    with opened(engine, ONCE) as database:
        verb(database, name)


def _discard(_: object) -> None:
    return None
