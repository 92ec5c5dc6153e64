"""A COMMIT that waits for a replica, and a replica that takes over without the last of them: rows and ledger agree."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import pytest
import sqlalchemy as sa

from backfill.errors import LinkLost
from backfill.status import Status
from tests.conftest import excused
from tests.faults.clusters import Cluster, PostgreSQLCluster, Standby, at_work
from tests.faults.statements import batches, interrupted, recorded
from tests.faults.workloads import count_by_row, counts, open_engine, outcome, run_on, seed, settings

pytestmark = pytest.mark.postgresql

ROWS, BATCH = 12, 4
SMALL = settings(batch_size=BATCH, max_batch_size=BATCH, lease_seconds=1, lock_seconds=5)
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
FOLLOWING = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()"


@pytest.fixture
def primary() -> Iterator[PostgreSQLCluster]:
    """Give a server of our own, whose settings may be changed."""
    with excused("postgresql"):
        Standby.find_programs()
    with at_work(PostgreSQLCluster) as cluster:
        yield cluster


def ask(cluster: Cluster, *statements: str) -> object:
    """Make statements on a connection of its own; gives what the last one finds, if it finds anything."""
    found: object = None
    with open_engine(cluster.url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
            found = result.scalar() if result.returns_rows else None
    return found


def wait_for(cluster: Cluster, question: str) -> object:
    """The answer, as soon as there is one."""
    deadline = time.monotonic() + 30
    while not (answer := ask(cluster, question)):
        assert time.monotonic() < deadline, question
        time.sleep(0.02)
    return answer


def seeded(cluster: Cluster) -> tuple[sa.Engine, list[str]]:
    """An engine on uncounted rows, and the statements of a run."""
    engine = open_engine(cluster.url)
    seed(engine, ROWS)
    run_on(engine, count_by_row, SMALL)
    seed(engine, ROWS)
    with recorded(engine) as statements:
        run_on(engine, count_by_row, SMALL)
    seed(engine, ROWS)
    return engine, statements


@pytest.mark.parametrize("end", ["pg_cancel_backend", "pg_terminate_backend"])
def test_a_commit_that_waits_for_a_replica_may_be_given_up(primary: PostgreSQLCluster, end: str) -> None:
    """It stands on this server, whatever its client is told; the run goes on behind it."""
    engine, statements = seeded(primary)
    second = batches(statements)[1]

    def wait_for_nobody() -> None:
        ask(primary, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
        time.sleep(0.3)  # until every process has read it
        threads.append(threading.Thread(target=give_up))
        threads[0].start()

    def give_up() -> None:
        waiting = wait_for(primary, WAITING)
        ask(primary, "ALTER SYSTEM RESET synchronous_standby_names", f"SELECT {end}({waiting})")
        ask(primary, "SELECT pg_reload_conf()")

    threads: list[threading.Thread] = []
    with interrupted(engine, second.stop - 1, wait_for_nobody), suppress(LinkLost):
        run_on(engine, count_by_row, SMALL)
    threads[0].join()
    assert sum(counts(engine).values()) >= 2 * BATCH
    run_on(engine, count_by_row, SMALL)
    assert set(counts(engine).values()) == {1}
    assert outcome(engine, "count_by_row") == (Status.COMPLETED, ROWS)


def test_a_replica_that_lost_commits_goes_on_where_it_stands(primary: PostgreSQLCluster) -> None:
    """Rows and checkpoint are lost together, so the older point is a whole one."""
    engine, statements = seeded(primary)
    _, second, third = batches(statements)[:3]
    with at_work(partial(Standby, primary=primary)) as standby:
        wait_for(primary, FOLLOWING)
        falls_behind: Callable[[], None] = partial(_stop_when_it_has_caught_up, primary, standby)
        with (
            interrupted(engine, second.start, falls_behind),
            interrupted(engine, third.stop - 1, primary.kill),
            pytest.raises(LinkLost),
        ):
            run_on(engine, count_by_row, SMALL)
        standby.start()
        standby.promote()
        replica = open_engine(standby.url)
        assert sum(counts(replica).values()) == BATCH, "it has what was committed before it fell behind"
        run_on(replica, count_by_row, SMALL)
        assert set(counts(replica).values()) == {1}
        assert outcome(replica, "count_by_row") == (Status.COMPLETED, ROWS)


def _stop_when_it_has_caught_up(primary: Cluster, standby: Cluster) -> None:
    wait_for(primary, FOLLOWING)
    standby.kill()
