"""Behind PgBouncer each transaction may be another session's: a run is the same there, killed or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

import backfill
from backfill import Rows
from backfill.dialects.postgresql import PostgreSQL
from backfill.errors import BackfillError
from backfill.running.runner import run
from backfill.running.undoer import undo
from backfill.status import Status
from tests.conftest import fresh_database, running
from tests.faults.child import ending, go, start_child
from tests.faults.workloads import (
    count_by_row,
    count_in_sql,
    counts,
    open_engine,
    opened,
    outcome,
    run_on,
    seed,
    settings,
)
from tests.servers import Server, pgbouncer

ROWS = 200
pytestmark = pytest.mark.postgresql


@pytest.fixture(scope="session")
def pooler(postgresql_server: Server) -> Iterator[Server]:
    """Run one pooler for the whole session."""
    yield from running("pgbouncer", lambda: pgbouncer.start(postgresql_server))


@pytest.fixture
def engine(pooler: Server) -> Iterator[sa.Engine]:
    """Give an engine whose statements go through the pooler, while others use its sessions too."""
    for url in fresh_database(pooler):
        engine = open_engine(url, pool=sa.QueuePool)
        with changing_places(engine):
            yield engine
        engine.dispose()


@contextmanager
def changing_places(engine: sa.Engine) -> Iterator[None]:
    """Others take the session that a COMMIT has given back, so that the next transaction is another's."""
    others: list[sa.Connection] = []

    def take(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement == "COMMIT":
            others.append(open_engine(engine.url).connect())
            others[-1].exec_driver_sql("SELECT 1")  # and SQLAlchemy has begun a transaction by it
            if len(others) > 1:
                others.pop(0).close()

    sa.event.listen(engine, "after_cursor_execute", take)
    yield
    sa.event.remove(engine, "after_cursor_execute", take)
    for other in others:
        other.close()


@pytest.mark.parametrize("transform", [count_by_row, count_in_sql], ids=lambda form: form.name)
def test_a_run_through_a_pooler(engine: sa.Engine, transform: Any) -> None:
    """Each row is counted once, and the driver prepares statements again when the run is over."""
    seed(engine, ROWS)
    with opened(engine) as database:
        driver: Any = database.connection.connection.driver_connection
        assert driver.prepare_threshold is None
        assert run(database, transform, settings()).status is Status.COMPLETED
    assert driver.prepare_threshold == 5
    assert set(counts(engine).values()) == {1}


def test_prepared_statements_would_be_unknown(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pooler is able to fail a run that prepares its statements."""
    monkeypatch.setattr(PostgreSQL, "prepare", lambda *_: {"search_path": "public"})
    seed(engine, ROWS)
    with pytest.raises(BackfillError, match=r"42P05|26000"):
        run_on(engine, count_by_row, settings())


def test_a_killed_run_goes_on(engine: sa.Engine) -> None:
    """SIGKILL through the pooler: what was committed stands, and is not done again."""
    seed(engine, ROWS)
    child = start_child(engine.url, "count_by_row", batch_size=10)
    go(child)
    while not sum(counts(engine).values()):
        pass
    child.kill()
    ending(child)
    run_on(engine, count_by_row, settings())
    assert set(counts(engine).values()) == {1}
    assert outcome(engine, "count_by_row") == (Status.COMPLETED, ROWS)


@backfill.transform("people", keep_undo=True)
def miscount(people: Rows) -> dict[str, Any]:
    """A mistake."""
    return {"n": people.c.n + 1}


def test_what_was_run_through_a_pooler_is_undone_through_it(engine: sa.Engine) -> None:
    """Images are made and compared in whatever session it is."""
    seed(engine, ROWS)
    before = counts(engine)
    run_on(engine, miscount, settings())
    with opened(engine) as database:
        (undone,) = undo(database, "miscount", settings())
    assert (undone.restored, undone.left) == (ROWS, 0)
    assert counts(engine) == before


def test_directly_statements_are_prepared(postgresql_url: sa.URL) -> None:
    """Where the session is one's own, the driver is left as it was."""
    with opened(open_engine(postgresql_url)) as database:
        driver: Any = database.connection.connection.driver_connection
        assert driver.prepare_threshold == 5
