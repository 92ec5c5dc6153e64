"""A link that dies without a word is hung up after the server's own limit, and the run goes on by another."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from backfill import watchdog
from backfill.command.reconnection import reconnecting
from backfill.errors import LinkLost
from backfill.watchdog import Watchdog
from tests.faults.interleaving import BATCH, ROWS
from tests.faults.links import DeadWire
from tests.faults.workloads import count_by_row, counts, open_engine, opened, run_on, seed, settings

HASTY = settings(batch_size=BATCH, max_batch_size=BATCH, statement_seconds=0.5)
FIRST_BATCH = 3
"""Its COMMIT, after those of the run's entry and of the claim."""


@pytest.fixture(autouse=True)
def _little_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.4)


@pytest.fixture
def seeded(server_url: sa.URL) -> sa.Engine:
    """Give an engine on uncounted rows, and on a ledger."""
    engine = open_engine(server_url)
    seed(engine, ROWS)
    run_on(engine, count_by_row)  # in its own time: a slow machine may need long to make the ledger
    seed(engine, ROWS)
    return engine


def test_a_dead_link_is_hung_up_and_the_run_goes_on(seeded: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    """Without a socket that is shut from here, the driver would wait for ever; each row is counted once."""
    with DeadWire(seeded.url, FIRST_BATCH) as wire:

        def work() -> None:
            run_on(open_engine(wire.url), count_by_row, HASTY)

        reconnecting(work)
        assert wire.is_cut
        assert wire.was_hung_up
    assert "connecting again" in caplog.text
    assert set(counts(seeded).values()) == {1}


def test_without_a_watchdog_the_run_hangs(seeded: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until the wire is closed at last."""
    monkeypatch.setattr(Watchdog, "_start", lambda _: None)
    monkeypatch.setattr(DeadWire, "SECONDS", 3)
    with DeadWire(seeded.url, FIRST_BATCH) as wire:
        with pytest.raises(LinkLost):
            run_on(open_engine(wire.url), count_by_row, HASTY)
        assert wire.is_cut
        assert not wire.was_hung_up


def test_a_function_that_computes_for_long_is_no_dead_link(seeded: sa.Engine) -> None:
    """What is waited for is an answer: between two statements the clock stands, after one that failed as well."""
    with opened(seeded, HASTY) as database, database.transaction() as connection:
        with pytest.raises(sa.exc.DBAPIError), connection.begin_nested():
            connection.exec_driver_sql("SELECT nothing FROM nowhere")
        threading.Event().wait(1.5)
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
