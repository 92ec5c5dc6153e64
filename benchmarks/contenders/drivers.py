"""Drivers: what a hand-written loop does in each database's own way, without SQLAlchemy in between."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlalchemy import Engine

from benchmarks.contender import Target

Name = tuple[Any, str, str]
"""A key, a first and a last name."""


class Driver:
    """One connection by the driver, which keeps a checkpoint of its own."""

    mark: ClassVar[str] = "%s"
    begin: ClassVar[str] = "BEGIN"
    lock: ClassVar[str] = " FOR UPDATE"
    document: ClassVar[str] = "?"
    """A parameter that is JSON."""
    preparation: ClassVar[Sequence[str]] = ()

    def __init__(self, target: Target) -> None:
        self._engine = target.engine()
        self._pooled = _connected(self._engine)
        self.connection = self._pooled.driver_connection
        self._stop_transactions()
        self.cursor = self.connection.cursor()
        self.commits: list[float] = []
        """The moments at which batches were committed."""
        for statement in ("CREATE TABLE bench_checkpoint (upto varchar(100))", *self.preparation):
            self.execute(statement)
        self.execute("INSERT INTO bench_checkpoint VALUES ('')")

    def execute(self, statement: str, *parameters: Any) -> Any:
        """Execute a statement with `?` for each parameter."""
        self.cursor.execute(statement.replace("?", self.mark), parameters)
        return self.cursor

    def one(self, statement: str, *parameters: Any) -> Any:
        """The one value that a statement finds, or None."""
        row = self.execute(statement, *parameters).fetchone()
        return row[0] if row else None

    @contextmanager
    def batch(self) -> Iterator[None]:
        """One transaction."""
        self.execute(self.begin)
        yield
        self.execute("COMMIT")
        self.commits.append(time.perf_counter())

    def keep_checkpoint(self, upto: Any) -> None:
        """Note how far we are, in the batch's transaction."""
        self.execute("UPDATE bench_checkpoint SET upto = ?", str(upto))

    def write(self, names: Sequence[Name]) -> None:
        """Write a batch of names in the quickest way that this database has."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connection."""
        self._pooled.close()
        self._engine.dispose()

    def _stop_transactions(self) -> None:
        self.connection.autocommit = True


class PostgreSQL(Driver):
    """psycopg: COPY into a temporary table, then one UPDATE with the batch's range."""

    lock = " FOR NO KEY UPDATE"
    document = "?::json"
    preparation = (
        "CREATE TEMPORARY TABLE bench_names (id bigint, first_name text, last_name text) ON COMMIT DELETE ROWS",
    )

    def write(self, names: Sequence[Name]) -> None:
        """COPY and UPDATE."""
        with self.cursor.copy("COPY bench_names FROM STDIN") as copy:
            for name in names:
                copy.write_row(name)
        self.execute(
            "UPDATE bench_users u SET first_name = n.first_name, last_name = n.last_name FROM bench_names n "
            "WHERE u.id = n.id AND u.id BETWEEN ? AND ?",
            names[0][0],
            names[-1][0],
        )


class SQLite(Driver):
    """sqlite3: one prepared UPDATE for all rows, which costs no round trip here."""

    mark = "?"
    begin = "BEGIN IMMEDIATE"
    lock = ""

    def write(self, names: Sequence[Name]) -> None:
        """Row by row."""
        rows = ((first, last, key) for key, first, last in names)
        self.cursor.executemany("UPDATE bench_users SET first_name = ?, last_name = ? WHERE id = ?", rows)

    def _stop_transactions(self) -> None:
        self.connection.isolation_level = None


class MariaDB(Driver):
    """PyMySQL: one JSON document, which the server takes apart."""

    preparation = ("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",)

    def write(self, names: Sequence[Name]) -> None:
        """JOIN with JSON_TABLE."""
        self.execute(
            "UPDATE bench_users u JOIN JSON_TABLE(?, '$[*]' COLUMNS (id bigint PATH '$[0]', "
            "first_name varchar(200) PATH '$[1]', last_name varchar(200) PATH '$[2]')) n ON u.id = n.id "
            "SET u.first_name = n.first_name, u.last_name = n.last_name",
            json.dumps(names),
        )

    def _stop_transactions(self) -> None:
        self.connection.autocommit(True)


DRIVERS: dict[str, type[Driver]] = {"postgresql": PostgreSQL, "sqlite": SQLite, "mariadb": MariaDB}


def _connected(engine: Engine) -> Any:
    """A connection whose driver's own is under `driver_connection`."""
    return engine.raw_connection()


def driver_for(target: Target) -> Driver:
    """A connection in the way of the target's database."""
    return DRIVERS[target.database](target)
