"""A function catches the error of its own failed statement and goes on: its batch can only be taken back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import backfill
from backfill import Rejected
from backfill.errors import DatabaseFailed, ForeignCommit, RowRejected
from backfill.running.progress import Progress
from backfill.status import Status
from backfill.telling import sentence_of
from tests.faults.interleaving import ROWS
from tests.faults.rivals import ADDED
from tests.faults.test_application import READ, cross, locked
from tests.faults.workloads import counts, outcome, people, run_on, seed, settings

between: list[Callable[[sa.Connection], object]] = []
"""What the step does between its two halves; an error of the database is caught."""

count = people.update().values(n=people.c.n + 1)
again = people.insert().values(id=READ, n=0)
"""A key that is there already."""


@backfill.step()
def count_halves(connection: sa.Connection) -> int:
    """Count every row, in two halves."""
    first = connection.execute(count.where(people.c.id < 0)).rowcount
    for act in between:
        with suppress(DBAPIError):
            act(connection)
    return first + connection.execute(count.where(people.c.id >= 0)).rowcount


@backfill.step()
def give_up(connection: sa.Connection) -> int:
    """Count every row, or say that it cannot be done."""
    try:
        connection.execute(people.update().where(people.c.id == READ).values(label="seen"))
    except DBAPIError:
        raise Rejected("it does not work") from None
    return connection.execute(count).rowcount


@backfill.step()
def add_again(session: Session) -> None:
    """Add a row that is there, and make nothing of it."""
    with suppress(DBAPIError):
        session.execute(again)
    session.execute(count)


@backfill.step()
def flush_again(session: Session) -> None:
    """Lose all that the session has written, and make nothing of it."""
    session.execute(count)
    session.add(Person(id=READ, n=0))
    with suppress(DBAPIError):
        session.flush()


class Person:
    """A row of the table."""

    def __init__(self, **values: int) -> None:
        vars(self).update(values)


sa.orm.registry().map_imperatively(Person, people)


@pytest.fixture
def seeded(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """Give an engine on uncounted rows."""
    monkeypatch.setitem(globals(), "between", [])
    seed(pooled, ROWS)
    return pooled


@pytest.fixture
def served(seeded: sa.Engine) -> sa.Engine:
    """Give an engine on uncounted rows that several may write at once."""
    if seeded.dialect.name == "sqlite":
        pytest.skip("one writer at a time meets nobody's lock")
    return seeded


def take_again(connection: sa.Connection) -> None:
    """Insert what is there."""
    connection.execute(again)


def take_again_apart(connection: sa.Connection) -> None:
    """Insert what is there, behind a savepoint."""
    with connection.begin_nested():
        connection.execute(again)


def take_again_by_hand(connection: sa.Connection) -> None:
    """Do so in SQL of one's own."""
    connection.exec_driver_sql("SAVEPOINT mine")
    with suppress(DBAPIError):
        connection.execute(again)
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT mine")


def go_back_too_late(connection: sa.Connection) -> None:
    """Set the savepoint when it has failed already."""
    with suppress(DBAPIError):
        connection.execute(again)
    connection.exec_driver_sql("SAVEPOINT mine")
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT mine")


@pytest.mark.parametrize("act", [take_again, go_back_too_late], ids=lambda act: act.__name__)
def test_what_failed_and_was_caught_takes_the_batch_back(
    seeded: sa.Engine, act: Callable[[sa.Connection], None]
) -> None:
    """The run fails with the first error's code and with nothing written; mended, it goes on."""
    between.append(act)
    with pytest.raises(RowRejected, match="caught by the function, without a savepoint"):
        run_on(seeded, count_halves)
    assert set(counts(seeded).values()) == {0}
    assert outcome(seeded, "count_halves") == (Status.FAILED, 0)
    between.clear()
    run_on(seeded, count_halves)
    assert set(counts(seeded).values()) == {1}


@pytest.mark.parametrize("act", [take_again_apart, take_again_by_hand], ids=lambda act: act.__name__)
def test_a_savepoint_of_ones_own_is_a_way_back(seeded: sa.Engine, act: Callable[[sa.Connection], None]) -> None:
    """What failed behind it is gone, and the rest is whole."""
    between.append(act)
    assert run_on(seeded, count_halves).status is Status.COMPLETED
    assert set(counts(seeded).values()) == {1}


@pytest.mark.parametrize("step", [add_again, flush_again], ids=lambda step: step.name)
def test_a_session_is_watched_too(seeded: sa.Engine, step: backfill.Transform[..., None]) -> None:
    """Also where SQLAlchemy has rolled the session back, which is no lost link."""
    with pytest.raises(RowRejected, match="caught by the function"):
        run_on(seeded, step)
    assert set(counts(seeded).values()) == {0}


def test_a_transaction_that_sqlite_took_back_is_told_by_its_cause(
    sqlite_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OR ROLLBACK ends the transaction, and nobody knows what else did: not taken again, and the cause is told."""
    monkeypatch.setitem(globals(), "between", [lambda connection: connection.execute(again.prefix_with("OR ROLLBACK"))])
    seed(engine := sa.create_engine(sqlite_url), ROWS)
    with pytest.raises(ForeignCommit) as ended:
        run_on(engine, count_halves, accept=("synchronous",))
    assert "SQLITE_CONSTRAINT" in sentence_of(ended.value)
    assert set(counts(engine).values()) == {0}


@pytest.mark.parametrize("step", [count_halves, give_up], ids=lambda step: step.name)
def test_a_lock_that_was_met_and_caught_costs_only_patience(
    served: sa.Engine, step: backfill.Transform[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is taken again as if it had let the error pass, whatever it made of it."""
    between.append(lambda connection: connection.execute(people.update().values(label="seen")))
    told: list[str] = []
    with locked(served, READ) as application:

        def let_go(_: Progress, reason: str) -> None:
            told.append(reason)
            application.rollback()

        monkeypatch.setattr(Progress, "wait", let_go)
        run_on(served, step, settings(lock_seconds=0.5, attempts=3))
    assert len(told) == 1
    assert set(counts(served).values()) == {1}


def test_a_deadlock_that_was_caught_is_taken_again(served: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has taken the whole transaction back: what was written before is not lost."""
    between.append(lambda connection: connection.execute(people.update().where(people.c.id == READ).values(label="")))
    told: list[str] = []
    monkeypatch.setattr(Progress, "wait", lambda _progress, reason: told.append(reason))
    application = threading.Thread(target=cross, args=(served, held := threading.Event()))
    application.start()
    held.wait(10)
    run_on(served, count_halves, settings(lock_seconds=10, attempts=10))
    application.join()
    assert any("40P01" in reason or "1213" in reason for reason in told), told
    assert counts(served) == {id_: 1 + ADDED * (id_ in (-2, 3, 4, 5)) for id_ in range(-2, 6)}


def test_an_account_that_is_not_kept_is_found_out(seeded: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the run completes as if nothing had failed; PostgreSQL alone refuses what comes next."""
    monkeypatch.setattr("backfill.rows.given.accounted", lambda _: nullcontext())
    between.append(take_again)
    if seeded.dialect.name == "postgresql":
        with pytest.raises(DatabaseFailed, match="25P02"):
            run_on(seeded, count_halves)
    else:
        assert run_on(seeded, count_halves).status is Status.COMPLETED
