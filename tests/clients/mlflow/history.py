"""History: the runs and metrics of a team that has used MLflow for years, made where they are kept.

One run has a twentieth of all metrics under one key, more than any batch takes; the others share the rest. Their
metrics have several keys, and most keys are logged twice for the same step, or the same step and moment, so that the
latest one is told by time, or by the value alone. MLflow writes NaN as 0 with a flag, and infinity as the largest
number: a run has at most one of each.
"""

from __future__ import annotations

from hashlib import md5
from typing import Any

import sqlalchemy as sa

BY_HAND = "set by hand"
"""A user that a run was given before the data step, which must keep it."""
LONG_SHARE = 20
MOST_METRICS_OF_A_RUN = 1009
"""A prime, so that no two metrics of a run have the same value."""
LARGEST = "1.7976931348623157e308"

NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {count}) "

EXPERIMENT = """
INSERT INTO experiments (experiment_id, name, lifecycle_stage, workspace) VALUES (0, 'Default', 'active', 'default')
"""

RUNS = """
INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, experiment_id)
{numbers}
SELECT md5('run' || n), 'run-' || n, 'LOCAL',
       CASE WHEN n % 7 = 0 THEN '' WHEN n % 11 = 0 THEN NULL WHEN n % 13 = 0 THEN 'Zoë O''Hara ' || (n % 50)
            ELSE 'user' || (n % 200) END,
       'FINISHED', 1600000000000 + n * 1000, 1600000600000 + n * 1000,
       CASE WHEN n % 50 = 0 THEN 'deleted' ELSE 'active' END, 0
  FROM numbers
"""

TAGS = """
INSERT INTO tags (run_uuid, "key", value)
SELECT run_uuid, 'mlflow.source.name', 'train.py' FROM runs
 UNION ALL
SELECT run_uuid, 'mlflow.user', '{by_hand}' FROM runs WHERE start_time / 1000 % 17 = 0
"""

METRICS = """
INSERT INTO metrics (run_uuid, "key", step, timestamp, value, is_nan)
{numbers}, places (run, j) AS (SELECT n % {runs}, n / {runs} FROM numbers)
SELECT md5('run' || run), 'metric_' || (j % (1 + run % 4)), (j * 5 + run) % 4,
       1600000000000 + (j / 4 + run / 4) % 2 * 1000,
       CASE WHEN j = run % 23 THEN 0 WHEN j = (run + 5) % 29 THEN {largest} WHEN j = (run + 7) % 31 THEN -{largest}
            ELSE ((run * 31 + j * 17) % {prime} - 504.5) / 4.0 END,
       j = run % 23
  FROM places
"""

LONG_RUN = """
INSERT INTO metrics (run_uuid, "key", step, timestamp, value, is_nan)
{numbers}
SELECT md5('run0'), 'loss', n, 1600000000000 + n, 1000.0 / (n + 1), n < 0 FROM numbers
"""


def write_history(engine: sa.Engine, runs: int, metrics: int) -> None:
    """Write so many runs, and so many metrics of theirs."""
    long = metrics // LONG_SHARE
    assert runs > 0
    assert metrics - long <= runs * MOST_METRICS_OF_A_RUN, "there is no more room for different values"
    statements = (
        EXPERIMENT,
        RUNS.format(numbers=NUMBERS.format(count=runs)),
        TAGS.format(by_hand=BY_HAND),
        METRICS.format(
            numbers=NUMBERS.format(count=metrics - long), runs=runs, largest=LARGEST, prime=MOST_METRICS_OF_A_RUN
        ),
        LONG_RUN.format(numbers=NUMBERS.format(count=long)),
    )
    with engine.begin() as connection:
        _prepare(connection)
        for statement in statements:
            connection.execute(sa.text(statement))
    tidy(engine)


def tidy(engine: sa.Engine) -> None:
    """Do what autovacuum would do in time, so that everybody finds the same tables."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in ("runs", "metrics", "tags", "latest_metrics"):
                connection.exec_driver_sql(f"VACUUM ANALYZE {table}")
            connection.exec_driver_sql("CHECKPOINT")


def _prepare(connection: sa.Connection) -> None:
    """Give SQLite memory, and the one function of PostgreSQL's that makes ids without order."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA cache_size = -500000")
        driver.create_function("md5", 1, lambda text: md5(text.encode(), usedforsecurity=False).hexdigest())
