"""What is around a run may change: a database that cannot be written, a session left dirty, a process that ends."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from pydantic import field_validator

import backfill
from backfill.errors import Paused, RowRejected
from backfill.status import Status
from tests.faults.test_endings import meddling_run
from tests.faults.workloads import Counted, Counter, count_by_row, count_in_sql, counts, outcome, run_on, seed, settings

ROWS = 12
SMALL = settings(batch_size=4, max_batch_size=4)

READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET default_transaction_read_only = on",
    "mysql": "SET SESSION tx_read_only = 1",
}
DIRT = {
    "sqlite": ["PRAGMA read_uncommitted = ON", "PRAGMA case_sensitive_like = ON", "PRAGMA cache_size = 1"],
    "postgresql": [
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET timezone = 'Asia/Kathmandu'",
        "SET lock_timeout = '1ms'",
        "SET standard_conforming_strings = off",
        "SET synchronous_commit = off",
        "CREATE TEMPORARY TABLE backfill_values (n INT)",
    ],
    "mysql": [
        "SET SESSION sql_mode = ''",
        "SET SESSION tx_isolation = 'SERIALIZABLE'",
        "SET SESSION time_zone = '+05:45'",
        "SET SESSION max_statement_time = 0.5",
        "SET SESSION autocommit = 0",
        "SET SESSION sql_auto_is_null = 1",
    ],
}


def test_a_database_that_cannot_be_written_pauses_the_run(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only from the second batch on: the first one stands, and the same call goes on behind it."""
    seed(pooled, ROWS)
    with pytest.raises(Paused, match="cannot be written now"):
        meddling_run(pooled, READ_ONLY[pooled.dialect.name], monkeypatch)
    assert sum(counts(pooled).values()) < ROWS
    pooled.dispose()
    meddling_run(pooled, "", monkeypatch)
    assert set(counts(pooled).values()) == {1}
    assert outcome(pooled, "meddle")[0] == Status.COMPLETED


def test_a_session_that_was_left_dirty_is_no_matter(database_url: sa.URL) -> None:
    """A pool hands out a session as its last user left it."""
    engine = sa.create_engine(database_url, pool_size=1, max_overflow=0, pool_reset_on_return=None)
    seed(engine, ROWS)
    for transform in (count_in_sql, count_by_row):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in DIRT[engine.dialect.name]:
                connection.exec_driver_sql(statement)
            session = connection.connection.driver_connection
        run_on(engine, transform, SMALL)
        with engine.connect() as connection:
            assert connection.connection.driver_connection is session
        assert outcome(engine, transform.name) == (Status.COMPLETED, ROWS)
        engine.dispose()
    assert set(counts(engine).values()) == {2}
    engine.dispose()


def recurse() -> None:
    """Until there is no room any more."""
    recurse()


def raising(error: type[BaseException]) -> Callable[[], None]:
    """What ends a process, or a part of it."""

    def end() -> None:
        raise error

    return end


ENDS = {each.__name__: raising(each) for each in (SystemExit, KeyboardInterrupt, MemoryError, GeneratorExit)}


@pytest.mark.parametrize("name", [*ENDS, "RecursionError"])
def test_a_process_that_ends_within_a_batch(pooled: sa.Engine, name: str) -> None:
    """What was committed stands, and the next run goes on behind it."""
    seed(pooled, ROWS)
    end = {**ENDS, "RecursionError": recurse}[name]
    ends = [end]

    @backfill.transform("people")
    def count_and_end(row: Counter) -> Counted:
        """End once, in the midst of the second batch."""
        if row.n > 20 and ends:
            ends.pop()()
        return Counted(n=row.n + 1)

    with pytest.raises(BaseException):  # noqa: B017, PT011  # whatever it is, nothing may be lost by it
        run_on(pooled, count_and_end, SMALL)
    assert 0 < sum(counts(pooled).values()) < ROWS
    run_on(pooled, count_and_end, SMALL)
    assert set(counts(pooled).values()) == {1}
    assert outcome(pooled, "count_and_end") == (Status.COMPLETED, ROWS)


class Cancelled(BaseException):
    """What asyncio and gevent end their tasks with is no Exception."""


def test_an_end_that_is_no_exception_is_the_rows_own(pooled: sa.Engine) -> None:
    """It is told without what it says, which may be a value, and without a traceback."""
    seed(pooled, ROWS)

    @backfill.transform("people")
    def count_and_cancel(row: Counter) -> Counted:
        """End what is more than a function."""
        raise Cancelled(f"secret {row.n}")

    with pytest.raises(RowRejected, match=r"Cancelled at .*test_surroundings\.py") as told:
        run_on(pooled, count_and_cancel, SMALL)
    assert "secret" not in str(told.value)
    assert set(counts(pooled).values()) == {0}


class Stubborn(Counter):
    """A model whose own check ends more than itself."""

    @field_validator("n")
    @classmethod
    def _cancel(cls, n: int) -> int:
        raise Cancelled(f"secret {n}")


def test_an_end_in_a_model_is_the_rows_own(pooled: sa.Engine) -> None:
    """Also where rows come as a list."""
    seed(pooled, ROWS)

    @backfill.transform("people")
    def count_all(rows: list[Stubborn]) -> list[Counted]:
        """Is never called."""
        return [Counted(n=row.n + 1) for row in rows]

    with pytest.raises(RowRejected, match=r"Cancelled at .*test_surroundings\.py") as told:
        run_on(pooled, count_all, SMALL)
    assert "secret" not in str(told.value)
