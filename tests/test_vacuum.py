"""Inside a run dead rows are cleared away, if that is asked for and where a database leaves them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from backfill.running.progress import Silence
from backfill.running.runner import run
from backfill.running.vacuum import Vacuum
from tests.faults.statements import recorded
from tests.faults.workloads import ACCEPTED, count_by_row, open_engine, opened, run_on, seed, settings, tally

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


@pytest.mark.parametrize(("share", "times"), [(0, 0), (0.25, 4)])
def test_it_is_asked_for_where_dead_rows_are_left(database_url: sa.URL, share: float, times: int) -> None:
    """As often as was said on PostgreSQL, never elsewhere, and never unless it was said."""
    engine = prepared(database_url)
    chosen = settings(batch_size=500, max_batch_size=500, vacuum_share=share)
    with opened(engine, chosen) as database, recorded(database.connection) as statements:
        assert run(database, count_by_row, chosen, accept=ACCEPTED).rows_written == ROWS
    asked = sum(statement.startswith("VACUUM") for statement in statements)
    assert asked == (times if engine.dialect.name == "postgresql" else 0)


@pytest.mark.postgresql
def test_several_workers_leave_it_to_one(postgresql_url: sa.URL) -> None:
    """The leader asks for it as often as if it walked all rows, about: it counts its own."""
    engine = prepared(postgresql_url)
    chosen = settings(batch_size=100, max_batch_size=100, vacuum_share=0.25, workers=2, lock_seconds=10, attempts=20)
    with opened(engine, chosen) as database, recorded(database.connection) as statements:
        assert run(database, count_by_row, chosen, accept=ACCEPTED).rows_written == ROWS
    assert 1 <= sum(statement.startswith("VACUUM") for statement in statements) <= 8


@pytest.mark.postgresql
def test_a_table_of_unknown_size_is_told(postgresql_url: sa.URL, caplog: pytest.LogCaptureFixture) -> None:
    """Once, and the run goes on."""
    engine = open_engine(postgresql_url)
    seed(engine, 100)
    with caplog.at_level("INFO"):
        assert run_on(engine, count_by_row, settings(vacuum_share=0.5)).rows_written == 100
    assert caplog.text.count("people is not vacuumed: its size is not known before it is ANALYZEd") == 1


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
