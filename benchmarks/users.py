"""The table that every contender fills, and the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from backfill import schema

_MAKE = """
    CREATE TABLE bench_users AS
    SELECT n AS id, 'user' || n || '@example.com' AS email, 'Ada' || n || ' King of ' || n AS full_name,
           repeat('x', 96) AS bio, NULL::json AS skills, NULL::text AS first_name, NULL::text AS last_name
      FROM generate_series(1, :rows) AS n
"""


@contextmanager
def fresh_users(engine: Engine, rows: int) -> Iterator[None]:
    """A table of `rows` users with nothing filled, warm and checkpointed; no ledger. Dropped afterwards."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP TABLE IF EXISTS bench_users"))
        schema.drop(connection)
        connection.execute(text(_MAKE), {"rows": rows})
        connection.execute(text("ALTER TABLE bench_users ADD PRIMARY KEY (id), ALTER full_name SET NOT NULL"))
        connection.execute(text("VACUUM ANALYZE bench_users"))
        connection.execute(text("CHECKPOINT"))
        yield
        connection.execute(text("DROP TABLE bench_users"))
        schema.drop(connection)


def seconds_of(work: Callable[[], None]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
