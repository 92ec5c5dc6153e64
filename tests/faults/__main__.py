"""All attacks as one table: `python -m tests.faults --size release --write docs/attacks.md`.

Each database is the one that the tests would use: from its environment variable, else a throwaway server.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from tests.faults.attacks import ATTACKS, DATABASES, SIZES, Outcome, fresh_database

TITLES = ("database", "attack", "moments", "lost", "doubled", "besides", "seconds")
VERSION = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version", "mysql": "SELECT version()"}


def main() -> None:
    """Attack runs on each database, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"default: all of {', '.join(ATTACKS)}")
    parser.add_argument("--size", choices=SIZES, default="ci", help="minutes; an hour or two; a day")
    parser.add_argument("--database", choices=DATABASES, action="append", help="default: each")
    parser.add_argument("--write", type=Path, metavar="FILE", help="a page to write, too")
    options = parser.parse_args()
    if unknown := [name for name in options.attacks if name not in ATTACKS]:
        parser.error(f"there is no attack {unknown[0]}; there are {', '.join(ATTACKS)}")
    databases, lines = options.database or list(DATABASES), [row(TITLES), row(["---"] * len(TITLES))]
    sys.stdout.write("\n".join(lines) + "\n")
    for line in told(options.attacks or list(ATTACKS), databases, options.size):
        lines.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        if options.write:  # after each line, so that an interrupted evening is not lost
            options.write.write_text(page(options.size, databases, lines), encoding="utf-8")


def told(attacks: list[str], databases: list[str], size: str) -> Iterator[str]:
    """A line for each attack on each database."""
    for attack in attacks:
        for database in databases:
            for outcome in ATTACKS[attack](database, SIZES[size]):
                yield row([database, *cells(outcome)])


def cells(outcome: Outcome) -> list[object]:
    """One outcome's part of a line."""
    return [outcome.attack, outcome.moments, outcome.lost, outcome.doubled, outcome.other, round(outcome.seconds)]


def row(cells: list[object] | list[str] | tuple[str, ...]) -> str:
    """One row of a table that Markdown understands."""
    return "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |"


def page(size: str, databases: list[str], lines: list[str]) -> str:
    """The figures, and when and on what they were seen."""
    where = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    seen = f"{datetime.now(UTC):%Y-%m-%d}, {where}; {', '.join(map(version, databases))}"
    return "\n".join(
        [
            "# Attacks, and what came of them",
            "",
            f"Written by `python -m tests.faults --size {size}` on {seen}.",
            "",
            "Each moment is one at which a run, its server or its wire was killed, cut or stopped; then it was started",
            "again, and in the end every row was counted. Lost are rows that were not counted, doubled those that were",
            "counted more than once; where a wrong protocol was planted, one of the two must be found.",
            "",
            *lines,
            "",
        ]
    )


def version(database: str) -> str:
    """The database's own words for its version."""
    with fresh_database(database) as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return f"{database} {connection.exec_driver_sql(VERSION[engine.dialect.name]).scalar()}"


if __name__ == "__main__":
    main()
