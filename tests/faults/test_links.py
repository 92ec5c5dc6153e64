"""A link that breaks leaves the outcome unknown; the ledger knows it, and the next run call goes on exactly there."""

from __future__ import annotations

from contextlib import suppress

import pytest
import sqlalchemy as sa

from backfill.errors import LinkLost
from backfill.running.runner import run
from backfill.status import Status
from tests.faults import mutants
from tests.faults.interleaving import BATCH, FULL, ROWS, Stage
from tests.faults.links import Wire, killer
from tests.faults.statements import batches, interrupted
from tests.faults.workloads import count_by_row, counts, open_engine, opened, outcome, run_on, seed, settings

SMALL = settings(batch_size=BATCH, max_batch_size=BATCH)
FIRST_BATCH = 3
"""Its COMMIT, after those of the run's entry and of the claim."""
LAST_COMMIT = 7
"""Behind those of two batches, the walk's end and the run's."""
COMMITS = range(1, LAST_COMMIT) if FULL else (FIRST_BATCH, FIRST_BATCH + 1, 6)


@pytest.fixture
def served(pooled: sa.Engine) -> sa.Engine:
    """Give an engine on each database that has a server, and so links to it."""
    if pooled.dialect.name == "sqlite":
        pytest.skip("a file has no link that could break")
    return open_engine(pooled.url)


def test_a_killed_session_is_resumed_exactly(served: sa.Engine) -> None:
    """The server ends the session before any statement of a batch, its COMMIT among them."""
    stage = Stage(served, count_by_row)
    for position in batches(stage.script)[1]:
        stage.reset()
        with opened(served, SMALL) as database:
            kill = killer(served, database.connection)
            with interrupted(database.connection, position, kill), pytest.raises(LinkLost):
                run(database, count_by_row, SMALL)
        assert sum(counts(served).values()) in (BATCH, ROWS)
        stage.resume()
        assert set(counts(served).values()) == {1}, position
        assert outcome(served, "count_by_row") == (Status.COMPLETED, ROWS)


@pytest.mark.parametrize("after", [False, True], ids=["before it arrives", "after it stands"])
@pytest.mark.parametrize("commit", COMMITS)
def test_a_wire_cut_around_a_commit_doubles_nothing(served: sa.Engine, commit: int, after: bool) -> None:
    """Whether the COMMIT stands or not, the worker is told the same; the ledger tells them apart."""
    seed(served, ROWS)
    run_on(served, count_by_row, SMALL)
    seed(served, ROWS)
    with Wire(served.url, commit, after=after) as wire:
        with pytest.raises(LinkLost):
            run_on(open_engine(wire.url), count_by_row, SMALL)
        assert wire.is_cut
    if commit == FIRST_BATCH:
        assert sum(counts(served).values()) == (BATCH if after else 0)
    run_on(served, count_by_row, SMALL)
    assert set(counts(served).values()) == {1}


def test_a_link_that_is_lost_when_all_is_done_is_no_matter(mariadb_url: sa.URL) -> None:
    """SQLAlchemy ends a connection to MariaDB with a COMMIT of its own, which nobody waits for."""
    seed(open_engine(mariadb_url), ROWS)
    run_on(open_engine(mariadb_url), count_by_row, SMALL)
    seed(open_engine(mariadb_url), ROWS)
    with Wire(mariadb_url, LAST_COMMIT, after=False) as wire:
        assert run_on(open_engine(wire.url), count_by_row, SMALL).status == Status.COMPLETED
        assert wire.is_cut


def test_a_retry_from_memory_is_found_out(served: sa.Engine) -> None:
    """A worker that repeats a batch whose COMMIT was not answered, without asking the ledger, doubles its rows.

    The mutant reads its batch in a transaction of its own, hence one COMMIT more.
    """
    seed(served, ROWS)
    run_on(served, count_by_row, SMALL)
    seed(served, ROWS)
    with Wire(served.url, FIRST_BATCH + 1, after=True) as wire, mutants.planted("retry-from-memory"):
        with opened(open_engine(wire.url), SMALL) as database:
            with suppress(LinkLost):  # only the worker has a new connection
                run(database, count_by_row, SMALL)
            database.connection.close()
        assert wire.is_cut
    assert max(counts(served).values()) == 2
