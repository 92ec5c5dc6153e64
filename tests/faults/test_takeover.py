"""One run, one worker: who starts second waits, is told, or takes over what a dead worker has left."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

import pytest
import sqlalchemy as sa

from backfill.errors import Fenced, Paused
from backfill.ledger import Ledger
from backfill.running import runner
from backfill.running.control import cancel_run
from backfill.schema import slice_
from backfill.slices import Slices
from backfill.status import Status
from tests.faults import rivals
from tests.faults.child import ending, go, start_child
from tests.faults.interleaving import FULL, ROWS, Stage
from tests.faults.statements import batches
from tests.faults.workloads import count_by_row, counts, open_engine, opened, outcome, seed, settings, tally

MANY = 2_000
ELSEWHERE = "elsewhere 1 token"
LEASE_SECONDS = 1.2


def wait_for_rows(engine: sa.Engine, rows: int) -> None:
    """Wait until a run has committed so many rows."""
    deadline = time.monotonic() + 30
    while outcome(engine, "count_by_row")[1] < rows:
        assert time.monotonic() < deadline, "the run does not get on"
        time.sleep(0.01)


def prepared(url: sa.URL) -> sa.Engine:
    """An engine on a database with a ledger, and with rows enough for a run that lasts."""
    engine = open_engine(url)
    with opened(engine) as database:
        Ledger(database).ensure()
    seed(engine, MANY)
    return engine


@pytest.mark.parametrize("has_ledger", [True, False] if FULL else [False])
def test_of_several_starters_one_wins(database_url: sa.URL, has_ledger: bool) -> None:
    """Started at once, one completes the run; the others are told that it is held, or find it completed."""
    engine = prepared(database_url) if has_ledger else open_engine(database_url)
    seed(engine, MANY)
    children = [
        start_child(database_url, "count_by_row", batch_size=20, lock_seconds=10) for _ in range(3 if FULL else 2)
    ]
    for child in children:
        go(child)
    said = Counter(ending(child) for child in children)
    assert said["completed"] >= 1, said
    assert said.keys() <= {"completed", "RunHeld"}, said
    assert tally(engine).is_exact
    assert outcome(engine, "count_by_row") == (Status.COMPLETED, MANY)


def test_a_dead_workers_run_is_taken_over_at_once(database_url: sa.URL) -> None:
    """On the same host nobody waits for the lease of a process that is gone."""
    engine = prepared(database_url)
    child = start_child(database_url, "count_by_row", batch_size=5, max_batch_size=5, lease_seconds=600)
    go(child)
    wait_for_rows(engine, 10)
    child.kill()
    ending(child)
    assert outcome(engine, "count_by_row")[0] == Status.RUNNING
    started = time.monotonic()
    stage_settings = settings(batch_size=1_000, max_batch_size=1_000)
    with opened(engine, stage_settings) as database:
        runner.run(database, count_by_row, stage_settings, accept=("synchronous",))
    assert time.monotonic() - started < 10
    assert tally(engine).is_exact


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM] if FULL else [signal.SIGINT], ids=lambda number: number.name
)
def test_a_signal_stops_between_two_batches(database_url: sa.URL, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM: the batch is finished, the run is paused, and the next run call goes on."""
    engine = prepared(database_url)
    child = start_child(database_url, "count_by_row", batch_size=5, max_batch_size=5)
    go(child)
    wait_for_rows(engine, 10)
    child.send_signal(number)
    assert ending(child) == "Paused"
    status, written = outcome(engine, "count_by_row")
    assert status == Status.PAUSED
    assert 0 < written < MANY
    assert written % 5 == 0
    assert MANY - tally(engine).lost == written
    with opened(engine, settings()) as database:
        runner.run(database, count_by_row, settings(batch_size=1_000), accept=("synchronous",))
    assert tally(engine).is_exact


def left_by_another_host(engine: sa.Engine) -> Stage:
    """A run whose slice is held by a process of another host, that is silent from now on."""
    stage = Stage(engine, count_by_row)
    stage.meet(batches(stage.script)[1].start, rivals.pauser("count_by_row"))
    with opened(engine) as database:
        ledger = Ledger(database)
        run = ledger.latest("count_by_row")
        assert run is not None
        (held,) = Slices(database).of_run(run.id)
        assert Slices(database).claim(held, ELSEWHERE, LEASE_SECONDS, from_owner=None)
    return stage


def test_a_silent_workers_lease_runs_out(pooled: sa.Engine) -> None:
    """Of a process on another host only its lease can tell; it is waited for, and no longer."""
    stage = left_by_another_host(pooled)
    started = time.monotonic()
    stage.resume()
    assert LEASE_SECONDS / 2 < time.monotonic() - started < LEASE_SECONDS + 5
    assert set(counts(pooled).values()) == {1}


def test_a_lease_of_yesterday_is_no_lease(pooled: sa.Engine) -> None:
    """The database's clock was put forward by a day: the slice is taken at once, and its old owner is fenced."""
    stage = left_by_another_host(pooled)
    with opened(pooled) as database:
        yesterday = database.dialect.clock(-24 * 60 * 60)
        database.connection.execute(slice_.update().where(slice_.c.is_open).values(lease_until=yesterday))
    started = time.monotonic()
    stage.resume()
    assert time.monotonic() - started < LEASE_SECONDS + 5
    assert set(counts(pooled).values()) == {1}


def test_waiting_for_a_lease_ends_when_the_run_is_cancelled(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is given up while somebody waits for it is not waited for any more."""
    stage = left_by_another_host(pooled)

    def cancel(_seconds: float) -> None:
        with opened(pooled) as database:
            cancel_run(database, "count_by_row")

    monkeypatch.setattr(time, "sleep", cancel)
    with pytest.raises(Fenced):
        stage.resume()
    assert sum(counts(pooled).values()) == ROWS // 2


def test_waiting_for_a_lease_ends_with_a_signal(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM is heard while waiting, and the run can be gone on with."""
    stage = left_by_another_host(pooled)
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", lambda _seconds: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(Paused, match="SIGTERM"):
            stage.resume()
    stage.resume()
    assert set(counts(pooled).values()) == {1}
