"""Inside a run dead rows are cleared away, if that is asked for and where a database leaves them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backfill.running.progress import Silence
from backfill.running.vacuum import Vacuum
from backfill.status import Status
from tests.faults.statements import recorded
from tests.faults.workloads import count_by_row, open_engine, opened, run_on, seed, settings, tally

ROWS = 8_000


def prepared(url: sa.URL) -> sa.Engine:
    """An engine on a table whose size the planner knows."""
    engine = open_engine(url)
    seed(engine, ROWS)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("ALTER TABLE people SET (autovacuum_enabled = off)")
            connection.exec_driver_sql("VACUUM FULL ANALYZE people")
    return engine


def growth(engine: sa.Engine, share: float) -> float:
    """How many times its size the table has after a run."""
    size = "SELECT pg_relation_size('people')"
    with engine.connect() as connection:
        before = connection.exec_driver_sql(size).scalar_one()
    run_on(engine, count_by_row, settings(batch_size=400, max_batch_size=400, vacuum_share=share))
    assert tally(engine).is_exact
    with engine.connect() as connection:
        return float(connection.exec_driver_sql(size).scalar_one() / before)


@pytest.mark.postgresql
def test_the_table_does_not_double(postgresql_url: sa.URL) -> None:
    """With a tenth of the rows between two vacuums it grows by little more than that."""
    assert growth(prepared(postgresql_url), 0) > 1.8
    assert growth(prepared(postgresql_url), 0.1) < 1.4


def test_where_nothing_is_left_dead_nothing_is_done(database_url: sa.URL) -> None:
    """The setting does no harm on any database, and without it nothing is asked."""
    engine = prepared(database_url)
    assert run_on(engine, count_by_row, settings(batch_size=500, max_batch_size=500)).status == Status.COMPLETED
    seed(engine, ROWS)
    chosen = settings(batch_size=500, max_batch_size=500, vacuum_share=0.5)
    assert run_on(engine, count_by_row, chosen).rows_written == ROWS


@pytest.mark.postgresql
def test_a_vacuum_waits_for_nobody(postgresql_url: sa.URL) -> None:
    """While somebody else, autovacuum above all, holds the lock that it needs, it is left out."""
    engine = prepared(postgresql_url)
    with engine.begin() as holder:
        holder.exec_driver_sql("LOCK TABLE people IN SHARE UPDATE EXCLUSIVE MODE")
        chosen = settings(batch_size=500, max_batch_size=500, vacuum_share=0.1)
        assert run_on(engine, count_by_row, chosen).rows_written == ROWS


@pytest.mark.postgresql
def test_a_transaction_of_others_is_left_alone(postgresql_url: sa.URL) -> None:
    """VACUUM cannot stand in a transaction, so where env.py owns one there is none."""
    engine = prepared(postgresql_url)
    with opened(engine) as database:
        database.shared = True
        vacuum = Vacuum(database, 0.1, Silence())
        with recorded(database.connection) as statements:
            vacuum.note(None, ROWS)  # type: ignore[arg-type]
    assert statements == []
