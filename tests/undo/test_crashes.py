"""A run that keeps images dies at any statement of a batch, its undoing at any at all: everything comes back."""

import pytest

from tests.faults.conftest import NewUrl
from tests.faults.crashes import finish_sweep
from tests.undo.crashes import start_sweep

FEWEST_POINTS = {"keeping": 8, "undoing": 15}
"""Fewer have not been where images are taken, or rows put back."""


@pytest.mark.parametrize(("what", "name"), [("keeping", "move_in_sql"), ("undoing", "count_by_row")])
def test_everything_comes_back(new_url: NewUrl, what: str, name: str) -> None:
    """Die before each statement that writes, and behind the last; go on; undo; compare every table."""
    found = finish_sweep(start_sweep(new_url(), what, name))
    assert found.is_clean, found
    assert found.points >= FEWEST_POINTS[what], found
