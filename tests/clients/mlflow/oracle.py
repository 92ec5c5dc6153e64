"""Oracle: each data step as the one statement of plain SQL that it could have been, and what that statement made."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tests.cases.declared import mlflow_latest_metrics, mlflow_user_to_tags
from tests.clients.mlflow.history import BY_HAND, tidy


@dataclass(frozen=True)
class DataStep:
    """One of MLflow's data steps: how it is declared, and how one statement does it."""

    name: str
    """The transform's."""
    file: Path
    walked: str
    filled: str
    statement: str
    emptying: str

    @property
    def copy(self) -> str:
        """The table that keeps what the statement made."""
        return f"oracle_{self.filled}"


USER_TAGS = DataStep(
    name="user_tags",
    file=Path(mlflow_user_to_tags.__file__),
    walked="runs",
    filled="tags",
    statement="""
        INSERT INTO tags ("key", value, run_uuid)
        SELECT 'mlflow.user', user_id, run_uuid FROM runs
         WHERE user_id <> '' AND NOT EXISTS
               (SELECT 1 FROM tags WHERE tags.run_uuid = runs.run_uuid AND tags."key" = 'mlflow.user')
    """,
    emptying=f"""DELETE FROM tags WHERE "key" = 'mlflow.user' AND value <> '{BY_HAND}'""",
)

LATEST_METRICS = DataStep(
    name="latest_metrics",
    file=Path(mlflow_latest_metrics.__file__),
    walked="metrics",
    filled="latest_metrics",
    statement="""
        INSERT INTO latest_metrics ("key", value, timestamp, step, is_nan, run_uuid)
        SELECT "key", value, timestamp, step, is_nan, run_uuid
          FROM (SELECT metrics.*, row_number() OVER
                       (PARTITION BY run_uuid, "key" ORDER BY step DESC, timestamp DESC, value DESC) AS place
                  FROM metrics) AS placed
         WHERE place = 1
    """,
    emptying="DELETE FROM latest_metrics",
)

STEPS = (USER_TAGS, LATEST_METRICS)


@dataclass(frozen=True)
class Truth:
    """What the one statement did."""

    walked: int
    written: int
    seconds: float


def ask(engine: sa.Engine, step: DataStep) -> Truth:
    """Do the step in one statement, keep a copy of what it made, and take it back."""
    started = time.perf_counter()
    with engine.begin() as connection:
        written = connection.exec_driver_sql(step.statement).rowcount
    seconds = time.perf_counter() - started
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {step.copy} AS SELECT * FROM {step.filled}")
        walked = _count(connection, step.walked)
    empty(engine, step)
    return Truth(walked, written, seconds)


def empty(engine: sa.Engine, step: DataStep) -> None:
    """Take away what the step made."""
    with engine.begin() as connection:
        connection.exec_driver_sql(step.emptying)
    tidy(engine)


def differences(engine: sa.Engine, step: DataStep) -> int:
    """Rows that are there and should not be, that should be and are not, or that are there twice."""
    with engine.connect() as connection:
        surplus = _count(connection, f"(SELECT * FROM {step.filled} EXCEPT SELECT * FROM {step.copy}) AS surplus")
        missing = _count(connection, f"(SELECT * FROM {step.copy} EXCEPT SELECT * FROM {step.filled}) AS missing")
        more = _count(connection, step.filled) - _count(connection, step.copy)
        return surplus + missing + abs(more - surplus + missing)


def spoil(engine: sa.Engine, step: DataStep) -> None:
    """Make one row wrong, as a comparison that is worth something must notice."""
    column, table = {"tags": "value", "latest_metrics": "step"}[step.filled], step.filled
    wrong = "'nobody'" if column == "value" else "step + 1"
    with engine.begin() as connection:
        one = f"""(SELECT min(run_uuid) FROM {table} WHERE "key" IN ('mlflow.user', 'metric_0'))"""
        connection.exec_driver_sql(
            f"""UPDATE {table} SET {column} = {wrong}
                 WHERE run_uuid = {one} AND "key" IN ('mlflow.user', 'metric_0')"""
        )


def _count(connection: sa.Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())
