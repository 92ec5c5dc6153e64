"""How a run ends early: told by name, written into the ledger, and resumable where that is safe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from backfill.errors import DatabaseFailed, DefinitionChanged, Exhausted, ForeignCommit
from backfill.planner import draft_plan
from backfill.running.progress import Progress
from backfill.running.runner import run
from backfill.status import Status
from tests.faults import captured, rivals
from tests.faults.interleaving import BATCH, ROWS, Stage
from tests.faults.statements import batches
from tests.faults.workloads import ACCEPTED, count_by_row, counts, opened, outcome, run_on, seed, settings

SMALL = settings(batch_size=BATCH, max_batch_size=BATCH)
HASTY = settings(batch_size=8, max_batch_size=8, statement_seconds=0.3)
"""Eight rows of a twentieth of a second each do not pass, four do."""

ENDINGS = {
    "sqlite": ["COMMIT", "ROLLBACK"],
    "postgresql": ["COMMIT", "ROLLBACK"],
    "mysql": [
        "COMMIT",
        "ROLLBACK",
        "CREATE TABLE another (id INT)",
        "START TRANSACTION",
        "ALTER TABLE people COMMENT 'x'",
    ],
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what a run says while it waits."""
    reasons: list[str] = []
    monkeypatch.setattr(Progress, "wait", lambda _progress, reason: reasons.append(reason))
    return reasons


def meddling_run(engine: sa.Engine, statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a transform that executes a statement on the run's connection."""
    with opened(engine, SMALL) as database:
        monkeypatch.setattr(captured, "connection", database.connection)
        monkeypatch.setattr(captured, "statements", [statement] * bool(statement))
        run(database, captured.meddle, SMALL, accept=ACCEPTED)


def test_a_batch_that_is_ended_from_inside_fails_the_run(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """COMMIT, ROLLBACK or DDL in a transform: the run fails at once, with nothing half written that it could see."""
    for statement in ENDINGS[pooled.dialect.name]:
        seed(pooled, ROWS)
        with pytest.raises(ForeignCommit):
            meddling_run(pooled, statement, monkeypatch)
        assert outcome(pooled, "meddle") == (Status.FAILED, 0), statement
        assert set(counts(pooled).values()) == {0}, statement
        meddling_run(pooled, "", monkeypatch)
        assert set(counts(pooled).values()) == {1}, statement


def test_a_plan_that_is_ended_from_inside_says_so(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no guarded write that would notice."""
    for statement in ENDINGS[pooled.dialect.name]:
        seed(pooled, ROWS)
        with opened(pooled, SMALL) as database:
            monkeypatch.setattr(captured, "connection", database.connection)
            monkeypatch.setattr(captured, "statements", [statement])
            with pytest.raises(ForeignCommit):
                draft_plan(database, captured.meddle, SMALL, ACCEPTED)


def test_a_changed_definition_is_refused_and_both_ways_on_work(pooled: sa.Engine) -> None:
    """Half-way, the code changes: refused with nothing written; accepted it goes on; from the start it starts over."""
    stage = Stage(pooled, count_by_row)
    position = batches(stage.script)[1].start
    half = {id_: int(id_ < ROWS // 4) for id_ in range(-ROWS // 4, ROWS - ROWS // 4)}
    start_over: dict[str, Any] = {"from_start": True, "accept": {*ACCEPTED, "twice"}}
    for way, expected in (({"accept": ("change", *ACCEPTED)}, set(half.values()) - {0}), (start_over, {1, 2})):
        stage.meet(position, rivals.pauser("count_by_row"))
        assert counts(pooled) == half
        with pytest.raises(DefinitionChanged):
            run_on(pooled, captured.count_by_row, SMALL)
        assert counts(pooled) == half
        assert outcome(pooled, "count_by_row")[0] == Status.PAUSED
        run_on(pooled, captured.count_by_row, SMALL, **way)
        assert set(counts(pooled).values()) == expected, way
        assert outcome(pooled, "count_by_row")[0] == Status.COMPLETED


@pytest.fixture
def served(pooled: sa.Engine) -> sa.Engine:
    """Give an engine on each database that limits the time of a statement."""
    if pooled.dialect.name == "sqlite":
        pytest.skip("SQLite has no limit for the time of a statement")
    return pooled


def test_a_statement_that_takes_too_long_halves_the_batch(served: sa.Engine, told: list[str]) -> None:
    """The server ends it, nothing of it stays, and half as many rows are taken."""
    seed(served, ROWS)
    transform = captured.DOZERS[served.dialect.name]
    run_on(served, transform, HASTY)
    assert len(told) == 1
    assert "too slow" in told[0]
    assert set(counts(served).values()) == {1}


def test_even_one_row_may_take_too_long(served: sa.Engine, told: list[str]) -> None:
    """Halved down to one row, the run pauses and says why; with time enough it goes on."""
    seed(served, ROWS)
    transform = captured.DOZERS[served.dialect.name]
    with pytest.raises(Exhausted, match="one row"):
        run_on(served, transform, settings(batch_size=8, max_batch_size=8, statement_seconds=0.02, attempts=1))
    assert len(told) == 3  # 8 → 4 → 2 → 1
    assert outcome(served, transform.name) == (Status.PAUSED, 0)
    run_on(served, transform, HASTY)
    assert set(counts(served).values()) == {1}


def test_finding_the_boundary_may_take_too_long(served: sa.Engine, told: list[str]) -> None:
    """A boundary that is far away is looked for nearer."""
    seed(served, ROWS)
    with opened(served, HASTY) as database, slow_boundary(database.connection, rows=4):
        run(database, count_by_row, HASTY)
    assert told
    assert set(counts(served).values()) == {1}


@contextmanager
def slow_boundary(connection: sa.Connection, *, rows: int) -> Iterator[None]:
    """Make the server take a second for a boundary that is so many rows away, or more."""
    sleep = {"postgresql": "(SELECT 1 FROM pg_sleep(1)) = 1", "mysql": "(SELECT SLEEP(1)) = 0"}[connection.dialect.name]

    def slow_down(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> tuple[str, Any]:
        if statement.startswith("SELECT people.id") and "FOR " not in statement and "DESC" not in statement:
            offset = re.search(r"OFFSET %\((\w+)\)s|LIMIT %\((\w+)\)s, ", statement)
            if offset and parameters[offset[1] or offset[2]] >= rows:
                statement = statement.replace("WHERE ", f"WHERE {sleep} AND ", 1)
        return statement, parameters

    sa.event.listen(connection, "before_cursor_execute", slow_down, retval=True)
    try:
        yield
    finally:
        sa.event.remove(connection, "before_cursor_execute", slow_down)


def test_a_ledger_that_cannot_be_read_stops_the_run_where_it_stands(pooled: sa.Engine) -> None:
    """An error is not the absence of a checkpoint: nothing begins anew."""
    stage = Stage(pooled, count_by_row)

    def hide(engine: sa.Engine) -> None:
        rename(engine, "backfill_slice", "hidden")

    meeting = stage.meet(batches(stage.script)[1].start, hide)
    rename(pooled, "hidden", "backfill_slice")
    assert isinstance(meeting.error, DatabaseFailed), meeting
    assert sum(counts(pooled).values()) == len(counts(pooled)) // 2
    stage.resume()
    assert set(counts(pooled).values()) == {1}


def rename(engine: sa.Engine, table: str, new_name: str) -> None:
    """As somebody does who tidies up."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {new_name}")


def test_another_size_of_batches_is_no_change(pooled: sa.Engine) -> None:
    """Where a run goes on does not depend on how large its batches were."""
    stage = Stage(pooled, count_by_row)
    stage.meet(batches(stage.script)[1].start, rivals.pauser("count_by_row"))
    assert sum(counts(pooled).values()) == len(counts(pooled)) // 2
    run_on(pooled, count_by_row, settings(batch_size=3, max_batch_size=3))
    assert set(counts(pooled).values()) == {1}
