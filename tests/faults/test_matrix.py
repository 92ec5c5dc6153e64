"""The page of faults names all of them, and no test that is not there; its outcomes are those of its own command."""

import ast

import pytest

from tests.faults.known import FAULTS, MUTANTS, Fault
from tests.faults.matrix import PAGE, PROJECT, Outcomes, page

ROWS = [*FAULTS, *MUTANTS]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_shows_a_fault_exists(row: Fault) -> None:
    """And what is not shown has a reason."""
    assert row.tests or row.remark
    for node in row.nodes:
        file, _, function = node.partition("::")
        tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
        assert function in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_the_page_has_these_rows() -> None:
    """Each with its tests, and none failed when it was written."""
    written = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    drawn = [line.split(" | ") for line in page(Outcomes()).splitlines() if line.startswith("| ")]
    assert [(row[0], row[-1]) for row in written] == [(row[0], row[-1]) for row in drawn]
    assert not [cell for row in written for cell in row if "failed" in cell]


def test_a_failure_is_told() -> None:
    """On its database alone."""
    outcomes, row = Outcomes(), FAULTS[0]
    for outcome in ("passed", "failed"):
        report = pytest.TestReport(row.nodes[0], ("", 0, ""), {"mariadb": 1}, outcome, None, "call")
        outcomes.pytest_runtest_logreport(report)
    assert outcomes.cell(row, "mariadb") == "**1 failed**"
    assert outcomes.cell(row, "sqlite") == "not shown"
