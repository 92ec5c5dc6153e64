"""Matrix: what becomes of a run in every fault that is known, by the outcomes of the tests that show it.

`python -m tests.faults.matrix` runs these tests and writes docs/faults.md from what they say.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import pytest

from tests.faults.known import FAULTS, Fault
from tests.faults.known_mutants import MUTANTS

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "faults.md"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}


class Outcomes:
    """What pytest said of each test, by database."""

    def __init__(self) -> None:
        self.said: dict[tuple[str, str], Counter[str]] = {}
        self.reasons: dict[tuple[str, str], str] = {}
        """Why tests were skipped."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a test that has ended, or was skipped before it began."""
        if report.when == "call" or report.outcome != "passed":
            node = report.nodeid.partition("[")[0]
            for database in [name for name in DATABASES if name in report.keywords] or DATABASES:
                self.said.setdefault((node, database), Counter())[report.outcome] += 1
                if report.skipped and isinstance(report.longrepr, tuple):
                    self.reasons[node, database] = report.longrepr[2].removeprefix("Skipped: ")

    def cell(self, fault: Fault, database: str) -> str:
        """What became of the tests of one row on one database."""
        found = sum((self.said.get((node, database), Counter()) for node in fault.nodes), Counter[str]())
        if found["failed"]:
            return f"**{found['failed']} failed**"
        if found["passed"]:
            return f"{found['passed']} passed"
        reasons = [self.reasons[node, database] for node in fault.nodes if (node, database) in self.reasons]
        return fault.without.get(database, reasons[0] if reasons else "not shown")


def page(outcomes: Outcomes) -> str:
    """The page, from its first line to its last."""
    return "\n".join(
        [
            "# Faults, and what becomes of a run",
            "",
            "Written by `python -m tests.faults.matrix` from the outcomes of these tests: how many passed, on each",
            "database. In each of them every row is counted exactly once, or the run says why it stopped and goes on",
            "when it is asked to.",
            "",
            *_table("fault", FAULTS, outcomes),
            "",
            "## Are the tests able to fail?",
            "",
            "The protocol with one thing wrong, and the tests that find it.",
            "",
            *_table("what is wrong", MUTANTS, outcomes),
            "",
        ]
    )


def _table(title: str, rows: Iterable[Fault], outcomes: Outcomes) -> Iterator[str]:
    yield f"| | {title} | {' | '.join(DATABASES.values())} | shown by |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        cells = [outcomes.cell(row, database) if row.tests else "not shown" for database in DATABASES]
        tests = [f"`{name.partition('::')[2]}`" for name in row.tests]
        shown = "; ".join([*tests, *filter(None, [row.remark])])
        yield f"| {row.number} | {row.name} | {' | '.join(cells)} | {shown} |"


def main() -> None:
    """Run what shows them, and write the page."""
    outcomes = Outcomes()
    nodes = sorted({node for row in (*FAULTS, *MUTANTS) for node in row.nodes})
    code = pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", *nodes], plugins=[outcomes])
    PAGE.write_text(page(outcomes), encoding="utf-8")
    click.echo(f"written  {PAGE.relative_to(PROJECT)}")
    sys.exit(code)


if __name__ == "__main__":
    main()
