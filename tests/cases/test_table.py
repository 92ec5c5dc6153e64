"""The table of cases that the documentation shows."""

from pathlib import Path

import pytest

from tests.cases.harness import CASES
from tests.cases.table import Declaration, markdown, rows


def test_every_case_has_a_row() -> None:
    """In the order of the ladder, and the same each time."""
    _, *cases = rows()
    assert sorted(row[0] for row in cases) == [case.name for case in CASES]
    assert [row[2] for row in cases] == sorted(row[2] for row in cases)
    assert markdown() == markdown()


def test_typical_declarations_are_short() -> None:
    """Half of them take at most ten lines, and nine of ten at most twenty-five."""
    lengths = sorted(Declaration(case.name).lines for case in CASES)
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[len(lengths) * 9 // 10] <= 25


@pytest.mark.parametrize(
    ("name", "lines", "uses"),
    [
        ("ctfd_ratings_to_votes", 3, [("Rows", 1)]),
        ("h_organization_per_authority", 6, [("row", 1), ("lookups", 2), ("select", 2), ("Insert", 4), ("link", 6)]),
        ("letta_message_sequence", 10, [("list", 1), ("select", 2), ("state", 7), ("step", 8)]),
    ],
)
def test_what_is_counted(name: str, lines: int, uses: list[tuple[str, int]]) -> None:
    """Functions with their decorators, without docstrings; what they use is seen in their code."""
    declaration = Declaration(name)
    assert (declaration.lines, declaration.signs) == (lines, uses)


def test_the_page_shows_it() -> None:
    """As `python -m tests.cases.table` prints it."""
    assert markdown().strip() in (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
