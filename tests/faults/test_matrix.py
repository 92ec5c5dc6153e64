"""The page of faults names all of them, and no test that is not there; its outcomes are those of its own command."""

import ast
import re

import pytest

from tests.faults.known import FAULTS, Fault
from tests.faults.known_mutants import MUTANTS
from tests.faults.matrix import DATABASES, PAGE, PROJECT, Outcomes, page

ROWS = [*FAULTS, *MUTANTS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_shows_a_fault_exists(row: Fault) -> None:
    """And what is not shown has a reason."""
    assert row.tests or row.remark
    for node in row.nodes:
        file, _, function = node.partition("::")
        tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
        assert function in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_none_is_left_out() -> None:
    """They are counted through."""
    assert [row.number for row in FAULTS] == [*range(1, 36)]
    assert [row.number for row in MUTANTS] == [*range(1, 25)]


def test_the_page_has_these_rows() -> None:
    """Each with its tests, in the order of the list."""
    drawn = [line.split(" | ") for line in page(Outcomes()).splitlines() if line.startswith("| ")]
    assert [(*row[:2], row[-1]) for row in written()] == [(*row[:2], row[-1]) for row in drawn]


def test_the_page_holds_outcomes() -> None:
    """Wherever there are tests they have passed, or there is a reason why it cannot happen there."""
    cells = {row[1]: row[2:5] for row in written()}
    for row in (row for row in ROWS if row.tests):
        for database, cell in zip(DATABASES, cells[row.name], strict=True):
            assert re.fullmatch(r"\d+ passed", cell) or cell == row.without.get(database), (row.name, database)


def written() -> list[list[str]]:
    """The rows of the page, and its two headers."""
    return [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]


def test_a_failure_is_told() -> None:
    """On its database alone."""
    outcomes, row = Outcomes(), FAULTS[0]
    for outcome in ("passed", "failed"):
        report = pytest.TestReport(row.nodes[0], ("", 0, ""), {"mariadb": 1}, outcome, None, "call")
        outcomes.pytest_runtest_logreport(report)
    assert outcomes.cell(row, "mariadb") == "**1 failed**"
    assert outcomes.cell(row, "sqlite") == "not shown"


def test_a_skip_is_told_with_its_reason() -> None:
    """Where nothing else is known of the row."""
    outcomes, row = Outcomes(), Fault(0, "a fault", ["faults/test_x::test_x"])
    skipped = ("test_x.py", 1, "Skipped: only root can do so")
    report = pytest.TestReport(row.nodes[0], ("", 0, ""), {"mariadb": 1}, "skipped", skipped, "setup")
    outcomes.pytest_runtest_logreport(report)
    assert outcomes.cell(row, "mariadb") == "only root can do so"
