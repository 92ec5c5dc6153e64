"""Harness: loads the facts of a case into a database, and compares what is there with what should be.

A fact is in `facts/CASE/KIND.DATABASE.SUFFIX`, or in `facts/CASE/KIND.SUFFIX` for the databases without one of their
own. SQL is written in the words that all three understand once MariaDB takes `"x"` for a name and `||` for text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from backfill.declaration.decorator import Transform
from backfill.rows.opening import open_sources
from backfill.settings import Settings
from tests.faults.workloads import opened

FACTS = Path(__file__).parent / "facts"
LONG = {"letta_encrypt_offset_bug", "prefect_artifact_collections", "prefect_work_queue_links"}
"""Cases of hundreds of rows."""
ANSI = "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,STRICT_ALL_TABLES', max_recursive_iterations = 10000"


@dataclass(frozen=True)
class Case:
    """One data step of a real project."""

    name: str

    @property
    def steps(self) -> tuple[Transform[..., Any], ...]:
        """Its declaration: transforms, in the order in which they are run."""
        steps: tuple[Transform[..., Any], ...] = import_module(f"tests.cases.declared.{self.name}").STEPS
        return steps

    @property
    def about(self) -> dict[str, Any]:
        """Where it comes from, what it does, and the databases on which the project runs it."""
        about: dict[str, Any] = json.loads((FACTS / self.name / "case.json").read_text(encoding="utf-8"))
        return about

    @property
    def small_batches(self) -> Settings:
        """Batches of two rows; of a hundred where a walk in twos would take minutes."""
        rows = 100 if self.name in LONG else 2
        return Settings(batch_size=rows, max_batch_size=rows)

    def fact(self, kind: str, database: str, suffix: str) -> str:
        """The text of a fact, as it is on this database."""
        own = FACTS / self.name / f"{kind}.{database}.{suffix}"
        return (own if own.exists() else FACTS / self.name / f"{kind}.{suffix}").read_text(encoding="utf-8")

    def load(self, engine: sa.Engine, database: str) -> None:
        """Make the tables as they are before the data step, and their rows."""
        with engine.begin() as connection:
            _speak_ansi(connection, database)
            for kind in ("schema", "seed"):
                for statement in filter(str.strip, self.fact(kind, database, "sql").split(";")):
                    connection.execute(_verbatim(statement))

    def differences(self, engine: sa.Engine, database: str) -> list[tuple[str, list[Any], list[Any]]]:
        """Every check that is not met: its SQL, the rows that it should give, and those that it gives."""
        checks = json.loads(self.fact("expected", database, "json"))["checks"]
        with engine.connect() as connection:
            _speak_ansi(connection, database)
            found = [(check, connection.execute(_verbatim(check["sql"])).all()) for check in checks]
        compared = [(check["sql"], *_comparable(check["rows"], rows)) for check, rows in found]
        return [(sql, wanted, given) for sql, wanted, given in compared if wanted != given]


CASES = tuple(Case(folder.name) for folder in sorted(FACTS.iterdir()) if folder.is_dir())


def reason_not_to_repeat(engine: sa.Engine, transform: Transform[..., Any]) -> str:
    """Why only the checkpoint makes a transform repeatable; empty where the data do."""
    with opened(engine) as database:
        known = (source.repeatability for source in open_sources(database, transform))
        return next((one.reason for one in known if not one.by_nature), "")


def _speak_ansi(connection: sa.Connection, database: str) -> None:
    if database == "mariadb":
        connection.exec_driver_sql(ANSI)


def _verbatim(statement: str) -> sa.TextClause:
    return sa.text(statement.replace(":", "\\:"))


def _comparable(wanted: list[list[Any]], given: Sequence[sa.Row[Any]]) -> tuple[list[Any], list[Any]]:
    """Both sides without order and without the types of one driver; text is parsed where a document is wanted."""
    documents = {n for row in wanted for n, value in enumerate(row) if isinstance(value, dict | list)}
    return _sorted(_plain_rows(wanted, documents)), _sorted(_plain_rows(given, documents))


def _plain_rows(rows: Sequence[Sequence[Any]], documents: set[int]) -> Iterator[list[Any]]:
    for row in rows:
        yield [_parsed(value) if n in documents else _plain(value) for n, value in enumerate(row)]


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """A truth as 0 or 1, a number of whatever type as a number, a moment in ISO's form, a UUID as text."""
    if isinstance(value, int | Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _sorted(rows: Iterator[list[Any]]) -> list[list[Any]]:
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))
