"""Several workers on one run: each row is counted once, whoever of them dies, stops or meets a row at fault."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from typing import Any

import pytest
import sqlalchemy as sa

from backfill.batch import Slice
from backfill.errors import RowRejected, Unreachable
from backfill.ledger import Ledger
from backfill.running import control, runner
from backfill.running.control import cancel_run
from backfill.running.crew import Crew
from backfill.running.owner import is_dead, new_owner
from backfill.running.pieces import Pieces
from backfill.running.progress import Progress
from backfill.schema import slice_
from backfill.status import Status
from tests.faults import mutants
from tests.faults.child import ending, go, start_child
from tests.faults.conftest import NewUrl
from tests.faults.interleaving import FORMS, ROWS, Meeting, Stage
from tests.faults.kills import finish_kills, start_kills
from tests.faults.rivals import helper
from tests.faults.statements import batches
from tests.faults.workloads import (
    count_by_row,
    counts,
    label_in_sql,
    open_engine,
    opened,
    outcome,
    refuse_seventh,
    run_on,
    seed,
    settings,
    tally,
)

MANY = 12_000
TOGETHER = settings(batch_size=20, max_batch_size=20, workers=3, lock_seconds=10, attempts=20)
TOGETHER_IN_CHILD = {"batch_size": 20, "max_batch_size": 20, "workers": 3, "lock_seconds": 10}


def prepared(url: sa.URL, rows: int = MANY) -> sa.Engine:
    """An engine on a database with a ledger and rows."""
    engine = open_engine(url)
    with opened(engine) as database:
        Ledger(database).ensure()
    seed(engine, rows)
    return engine


def pieces(engine: sa.Engine) -> list[sa.Row[Any]]:
    """What the ledger has of the slices."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(slice_).order_by(slice_.c.number)))


def processes_at_work(engine: sa.Engine) -> set[int]:
    """Who holds slices."""
    return {int(row.owner.split()[1]) for row in pieces(engine) if row.owner}


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.005)


def started(url: sa.URL, engine: sa.Engine, **changes: Any) -> tuple[subprocess.Popen[str], set[int]]:
    """A leader in a process of its own, and its helpers once all are at work."""
    leader = start_child(url, "count_by_row", **TOGETHER_IN_CHILD, **changes)
    go(leader)
    helpers: set[int] = set()

    def have_begun() -> bool:
        helpers.update(processes_at_work(engine) - {leader.pid})
        return len(helpers) == 2

    try:
        wait_until(have_begun)
    except AssertionError:
        leader.kill()
        leader.communicate()
        raise
    return leader, helpers


def is_alive(process: int) -> bool:
    """Whether a process is there, and no zombie."""
    host, _, token = new_owner().split(" ")
    return not is_dead(f"{host} {process} {token}")


@pytest.mark.parametrize("transform", [*FORMS, label_in_sql], ids=lambda form: form.name)
def test_everybody_takes_pieces(server_url: sa.URL, transform: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three threads; the pieces lie side by side, and each row is counted once."""
    engine = prepared(server_url)
    taken: set[str] = set()
    walk_next = Pieces.walk_next
    at_work = threading.Barrier(3)

    def noted(self: Pieces, held: Slice) -> bool:
        if threading.current_thread().name not in taken:
            taken.add(threading.current_thread().name)
            at_work.wait(30)
        return walk_next(self, held)

    monkeypatch.setattr(Pieces, "walk_next", noted)
    run = run_on(engine, transform, TOGETHER)
    assert (run.status, run.rows_read, run.rows_written) == (Status.COMPLETED, MANY, MANY)
    assert len(taken) == 3
    assert tally(engine).is_exact
    held, *cut = pieces(engine)
    assert (held.rows_read, sum(piece.rows_read for piece in cut)) == (0, MANY)
    assert not any(piece.is_open or piece.owner for piece in (held, *cut))


def test_processes_compute_side_by_side(server_url: sa.URL) -> None:
    """Three processes on one run."""
    engine = prepared(server_url)
    leader, helpers = started(server_url, engine)
    assert ending(leader) == "completed"
    assert tally(engine).is_exact
    assert outcome(engine, "count_by_row") == (Status.COMPLETED, MANY)
    assert not any(map(is_alive, helpers))


def test_a_killed_helper_is_replaced(server_url: sa.URL) -> None:
    """What it held is walked by the leader, at once."""
    engine = prepared(server_url)
    leader, helpers = started(server_url, engine)
    os.kill(helpers.pop(), signal.SIGKILL)
    assert ending(leader) == "completed"
    assert tally(engine).is_exact
    assert outcome(engine, "count_by_row") == (Status.COMPLETED, MANY)


def test_a_frozen_helper_is_killed(server_url: sa.URL) -> None:
    """When its lease has run out; if it holds what the leader needs, that pauses, and the next run goes on at once."""
    engine = prepared(server_url)
    leader, helpers = started(server_url, engine, lease_seconds=3)
    frozen = helpers.pop()
    os.kill(frozen, signal.SIGSTOP)
    assert ending(leader) in ("completed", "Exhausted")
    assert not is_alive(frozen)
    assert run_on(engine, count_by_row, TOGETHER).rows_written == MANY
    assert tally(engine).is_exact


def test_a_server_without_connections_to_spare(server_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Helpers who cannot connect are done without, and it is said."""
    engine = prepared(server_url)
    said: list[str] = []
    monkeypatch.setattr(Progress, "say", lambda _, message: said.append(message))

    def unreachable(*_: object) -> None:
        raise Unreachable("too many connections")

    monkeypatch.setattr("backfill.running.crew._visit", unreachable)
    assert run_on(engine, count_by_row, TOGETHER).rows_written == MANY
    assert tally(engine).is_exact
    assert "a helper is missing: it died, or could not connect; its rows are walked by the others" in said


def test_helpers_do_not_outlive_their_leader(server_url: sa.URL) -> None:
    """Killed, it leaves them to finish the batch at hand; the next run takes over from all of them."""
    engine = prepared(server_url)
    leader, helpers = started(server_url, engine)
    leader.kill()
    leader.communicate()
    wait_until(lambda: not any(map(is_alive, helpers)))
    assert outcome(engine, "count_by_row")[1] < MANY, "the run was over before it was killed"
    run = run_on(engine, count_by_row, TOGETHER)
    assert (run.status, run.rows_written) == (Status.COMPLETED, MANY)
    assert tally(engine).is_exact


def test_a_stopped_leader_stops_its_helpers(server_url: sa.URL) -> None:
    """SIGTERM leaves the run paused with whole batches, and nobody at work."""
    engine = prepared(server_url)
    leader, helpers = started(server_url, engine)
    leader.terminate()
    assert ending(leader) == "Paused"
    assert not any(map(is_alive, helpers))
    status, written = outcome(engine, "count_by_row")
    assert status == Status.PAUSED
    assert sum(counts(engine).values()) == written < MANY
    assert run_on(engine, count_by_row).rows_written == MANY
    assert tally(engine).is_exact


def test_a_cancelled_run_is_over_for_all(server_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """From that moment no batch of anyone commits."""
    monkeypatch.setattr(control, "PATIENCE_SECONDS", 30)
    engine = prepared(server_url)
    leader, helpers = started(server_url, engine)
    with opened(engine) as database:
        cancel_run(database, "count_by_row")
    written = sum(counts(engine).values())
    assert ending(leader) == "Fenced"
    assert not any(map(is_alive, helpers))
    assert sum(counts(engine).values()) == written < MANY


def test_a_row_at_fault_is_named_whoever_meets_it(server_url: sa.URL) -> None:
    """The run fails with the row's key, and everything else of it can be gone on with."""
    engine = prepared(server_url)
    with pytest.raises(RowRejected, match=r"^people row 7: it is the seventh(\n|$)"):
        run_on(engine, refuse_seventh, TOGETHER)
    status, written = outcome(engine, "refuse_seventh")
    assert status == Status.FAILED
    assert sum(counts(engine).values()) == written < MANY
    assert not any(piece.owner for piece in pieces(engine))


@pytest.mark.sqlite
def test_sqlite_has_one_writer(sqlite_url: sa.URL, caplog: pytest.LogCaptureFixture) -> None:
    """More workers would only wait, so there are none, and it is said."""
    engine = prepared(sqlite_url, ROWS)
    with caplog.at_level("INFO"):
        assert run_on(engine, count_by_row, TOGETHER).rows_written == ROWS
    assert "one worker walks the rows: SQLite has one writer at a time" in caplog.text
    assert len(pieces(engine)) == 1


def test_random_kills_of_several_threads(new_url: NewUrl) -> None:
    """Killed with SIGKILL somewhere, resumed by others."""
    url = new_url()
    siege = finish_kills(start_kills(url, "count_in_sql", rows=5_000, kills=4, batch=50, workers=3))
    assert siege.is_exact, siege
    assert siege.kills, siege


# ── a helper acts exactly when the leader is about to send its n-th statement ───────────────────────────────────────


@pytest.fixture
def lonely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs cut pieces although nobody helps them: the rival is the helper."""
    monkeypatch.setattr("backfill.running.pieces.FEWEST_BATCHES", 1)

    def crew_of_none(*_: object) -> Crew:
        return Crew(ThreadPoolExecutor(1), Pipe()[0], lambda _: None, 0)

    monkeypatch.setattr(runner, "crew_for", crew_of_none)


def meet_everywhere(stage: Stage) -> list[Meeting]:
    """Let a helper take a piece before each statement of the run's first half."""
    first, *_ = batches(stage.script)
    end = batches(stage.script)[-1].stop
    return [stage.meet(position, helper(stage.transform)) for position in range(first.start, end)]


@pytest.mark.usefixtures("lonely")
@pytest.mark.parametrize("transform", FORMS, ids=lambda form: form.name)
def test_a_helper_takes_a_piece_at_any_moment(pooled: sa.Engine, transform: Any) -> None:
    """It gets the next piece, or waits its turn; nobody's piece overlaps another's."""
    stage = Stage(pooled, transform)
    found = meet_everywhere(stage)
    assert all(meeting.error is None for meeting in found), [meeting for meeting in found if meeting.error]
    assert all(set(meeting.at_the_end.values()) == {1} for meeting in found)
    assert any(meeting.has_acted and sum(meeting.at_once.values()) > 0 for meeting in found)


@pytest.mark.usefixtures("lonely")
def test_pieces_that_overlap_show(pooled: sa.Engine) -> None:
    """The planted bug: a piece begins where the table begins, and not where the piece before it ends."""
    stage = Stage(pooled, count_by_row)
    stage.reset()
    with mutants.planted("piece-from-start"):
        stage.resume()
    assert max(counts(pooled).values()) > 1
