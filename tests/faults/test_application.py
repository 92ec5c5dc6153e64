"""The application goes on writing while a run walks its table: nothing of it is lost, and nothing is left out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from backfill.errors import Exhausted
from backfill.running.progress import Progress
from backfill.status import Status
from tests.faults import mutants, rivals
from tests.faults.interleaving import FORMS, FULL, ROWS, Stage
from tests.faults.rivals import ADDED
from tests.faults.statements import batches, interrupted
from tests.faults.workloads import (
    LATE,
    count_by_row,
    counts,
    label_by_row,
    label_in_sql,
    open_engine,
    opened,
    outcome,
    people,
    run_on,
    seed,
    settings,
)

by_each_form = pytest.mark.parametrize("transform", FORMS, ids=lambda form: form.name)
READ = 3
"""A row of the second batch."""
LAST = 5
"""The last row of all, and of the second batch."""
BOUNDARY = 1
"""The last row of the first batch."""
GONE = {"boundary": (BOUNDARY,), "whole batch": (2, 3, 4, LAST)} | ({"inner": (READ,), "last": (LAST,)} if FULL else {})


@by_each_form
def test_an_update_of_a_row_being_read_is_never_lost(pooled: sa.Engine, transform: Any) -> None:
    """Whenever the application adds to a row, its addition and ours are both there."""
    stage = Stage(pooled, transform)
    add = rivals.updater(READ)
    for position in batches(stage.script)[1]:
        meeting = stage.meet(position, add)
        if not meeting.has_acted:
            add(pooled)  # the application waits until the batch is over
        assert counts(pooled) == {id_: 1 + ADDED * (id_ == READ) for id_ in meeting.at_the_end}, meeting


@pytest.mark.parametrize("name", ["no-row-lock", "skip-locked"])
def test_a_read_without_the_lock_is_found_out(pooled: sa.Engine, name: str) -> None:
    """Without row locks the application's addition is overwritten; with SKIP LOCKED its rows are left out."""
    if pooled.dialect.name == "sqlite":
        pytest.skip("SQLite has no row locks")
    stage = Stage(pooled, count_by_row)
    with mutants.planted(name), pooled.connect() as application:
        if name == "skip-locked":
            seed(pooled, ROWS)
            application.execute(people.update().where(people.c.id == READ).values(label="locked"))
            run_on(pooled, count_by_row, stage.settings)
            application.commit()
            assert counts(pooled)[READ] == 0
            return
        found = [stage.meet(position, rivals.updater(READ)) for position in batches(stage.script)[1]]
    assert any(meeting.has_acted and meeting.at_the_end[READ] != 1 + ADDED for meeting in found)


@by_each_form
@pytest.mark.parametrize("gone", GONE.values(), ids=GONE.keys())
def test_deleted_rows_disturb_nobody(pooled: sa.Engine, transform: Any, gone: tuple[int, ...]) -> None:
    """Rows that vanish between boundary and read, the end of the walk among them, cost no other row."""
    stage = Stage(pooled, transform)
    first, second = batches(stage.script)
    for position in (*first[2 if FULL else -5 :], *second[:-2]):
        meeting = stage.meet(position, rivals.deleter(*gone))
        assert meeting.error is None, meeting
        assert set(meeting.at_the_end.values()) == {1}, meeting
        assert outcome(pooled, transform.name)[0] == Status.COMPLETED
        assert len(meeting.at_the_end) == ROWS - len(gone) * meeting.has_acted


@pytest.mark.parametrize("transform", [label_by_row, label_in_sql] if FULL else [label_by_row])
def test_a_row_committed_behind_the_checkpoint_is_found(pooled: sa.Engine, transform: Any) -> None:
    """Whenever it arrives: this run's sweep takes it, or it came after the end and the next run call does."""
    stage = Stage(pooled, transform)
    swept = 0
    positions = batches(stage.script)[0].start, len(stage.script) + 1
    for position in range(*positions, 1 if FULL or pooled.dialect.name == "sqlite" else 4):
        meeting = stage.meet(position, rivals.inserter)
        swept += meeting.at_the_end.get(LATE) == 1
        if not meeting.has_acted:
            rivals.inserter(pooled)
        stage.resume()
        assert set(counts(pooled).values()) == {1}, meeting
    assert swept >= 2


def test_rows_behind_the_last_key_are_the_applications_own(pooled: sa.Engine) -> None:
    """The walk ends where the table ended when it began: a run cannot be kept busy for ever."""
    stage = Stage(pooled, count_by_row)
    meeting = stage.meet(batches(stage.script)[1].start, rivals.inserter_at_the_end)
    assert meeting.error is None
    assert meeting.at_the_end.pop(10_000) == 0
    assert set(meeting.at_the_end.values()) == {1}


@contextmanager
def locked(engine: sa.Engine, *ids: int) -> Iterator[sa.Connection]:
    """Hold rows, as an application's long transaction does."""
    with engine.connect() as connection:
        connection.execute(people.update().where(people.c.id.in_(ids)).values(label="locked"))
        yield connection
        connection.rollback()


def test_a_lock_that_goes_away_costs_only_patience(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that meets a lock is rolled back and taken again."""
    seed(pooled, ROWS)
    run_on_two = settings(batch_size=4, max_batch_size=4, attempts=3)
    told: list[str] = []
    with locked(pooled, READ) as application:

        def let_go(_: Progress, reason: str) -> None:
            told.append(reason)
            application.rollback()

        monkeypatch.setattr(Progress, "wait", let_go)
        if pooled.dialect.name == "sqlite":  # the run could not even be entered into the ledger
            application.rollback()
            _hold_from_the_second_batch_on(pooled, application, monkeypatch)
        run_on(pooled, count_by_row, run_on_two)
    assert len(told) == 1
    assert set(counts(pooled).values()) == {1}


def _hold_from_the_second_batch_on(
    engine: sa.Engine, application: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Take SQLite's write lock when the first batch has been told of."""
    tell = Progress.advance

    def advance(progress: Progress, rows: int, written: int) -> None:
        tell(progress, rows, written)
        monkeypatch.setattr(Progress, "advance", tell)
        application.execute(people.update().where(people.c.id == READ).values(label="locked"))

    monkeypatch.setattr(Progress, "advance", advance)


def test_a_lock_that_stays_pauses_the_run(pooled: sa.Engine) -> None:
    """After the last attempt the run is paused, and says so; nothing is lost, and the next run call goes on."""
    if pooled.dialect.name == "sqlite":
        pytest.skip("while somebody holds the only write lock, not even the ledger can be told")
    seed(pooled, ROWS)
    small = settings(batch_size=4, max_batch_size=4, lock_seconds=0.1, attempts=2)
    with locked(pooled, READ), pytest.raises(Exhausted, match="busy through every attempt"):
        run_on(pooled, count_by_row, small)
    assert outcome(pooled, "count_by_row") == (Status.PAUSED, 4)
    run_on(pooled, count_by_row, small)
    assert set(counts(pooled).values()) == {1}


def test_sqlites_only_lock_stops_a_run_without_a_trace(sqlite_url: sa.URL) -> None:
    """A writer that never lets go: nothing is written, nothing is left behind, and the next run call works."""
    engine = open_engine(sqlite_url)
    seed(engine, ROWS)
    with locked(engine, READ), pytest.raises(Exhausted):
        run_on(engine, count_by_row, settings(lock_seconds=0.1))
    assert run_on(engine, count_by_row).status is Status.COMPLETED
    assert set(counts(engine).values()) == {1}


def test_a_deadlock_is_taken_again(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run and the application each hold what the other wants; the run loses, and takes its batch again."""
    if pooled.dialect.name == "sqlite":
        pytest.skip("one writer at a time cannot deadlock")
    seed(pooled, ROWS)
    told: list[str] = []
    monkeypatch.setattr(Progress, "wait", lambda _progress, reason: told.append(reason))
    application = threading.Thread(target=cross, args=(pooled, held := threading.Event()))
    application.start()
    held.wait(10)
    run_on(pooled, count_by_row, settings(batch_size=8, max_batch_size=8, lock_seconds=10, attempts=10))
    application.join()
    assert any("40P01" in reason or "1213" in reason for reason in told), told
    assert counts(pooled) == {id_: 1 + ADDED * (id_ in (-2, 3, 4, 5)) for id_ in range(-2, 6)}


def cross(engine: sa.Engine, held: threading.Event) -> None:
    """Lock the last rows, wait until the run wants them, then want the first."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL deadlock_timeout = '20s'")  # so that the run finds the deadlock
        change = people.update().values(n=people.c.n + ADDED)
        connection.execute(change.where(people.c.id.in_((3, 4, 5))))
        held.set()
        _wait_for_a_waiter(engine)
        connection.execute(change.where(people.c.id == -2))


def _wait_for_a_waiter(engine: sa.Engine) -> None:
    waiting = {
        "postgresql": "SELECT count(*) FROM pg_locks WHERE NOT granted",
        "mysql": "SELECT count(*) FROM information_schema.innodb_lock_waits",
    }[engine.dialect.name]
    deadline = time.monotonic() + 10
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.exec_driver_sql(waiting).scalar():
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.2)  # InnoDB's view of its locks is renewed when nobody has looked for a tenth of a second


def test_a_session_that_is_serializable_by_default_fails_no_batch(pooled: sa.Engine) -> None:
    """A batch says itself how it is isolated, so an edit of what it has read is no serialization failure."""
    serializable = {
        "sqlite": "PRAGMA read_uncommitted = OFF",
        "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "mysql": "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    }[pooled.dialect.name]

    @sa.event.listens_for(pooled, "connect")
    def _isolate(connection: Any, _: object) -> None:
        connection.cursor().execute(serializable)
        connection.commit()

    pooled.dispose()
    stage = Stage(pooled, count_by_row)
    add = rivals.updater(READ)
    for position in batches(stage.script)[1]:
        meeting = stage.meet(position, add)
        assert meeting.error is None, meeting
        if not meeting.has_acted:
            add(open_engine(pooled.url))
        assert counts(pooled)[READ] == 1 + ADDED, meeting


def test_a_migration_that_waits_for_a_batch_gets_its_turn(server_url: sa.URL) -> None:
    """DDL queues behind the batch at hand alone, and so does the application behind the DDL."""
    engine = open_engine(server_url)
    stage = Stage(engine, count_by_row)
    stage.reset()
    altered_at: list[int] = []

    def alter() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE people ADD COLUMN later INTEGER")
        altered_at.append(outcome(engine, "count_by_row")[1])

    thread = threading.Thread(target=alter)

    def let_it_wait() -> None:
        thread.start()
        time.sleep(0.2)
        assert not altered_at, "it did not wait for the batch"

    first = batches(stage.script)[0]
    with interrupted(engine, first.stop - 1, let_it_wait):
        stage.resume()
    thread.join()
    assert altered_at == [ROWS // 2]
    assert set(counts(engine).values()) == {1}


def test_the_checker_counts_an_undisturbed_run(pooled: sa.Engine) -> None:
    """The counting itself is sound: without any rival every row is counted once, and before it not at all."""
    seed(pooled, ROWS)
    assert set(counts(pooled).values()) == {0}
    with opened(pooled):
        run_on(pooled, count_by_row)
    assert set(counts(pooled).values()) == {1}
