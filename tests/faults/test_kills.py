"""A run that is killed at random moments and started again counts every row exactly once."""

import os

import pytest

from tests.faults.conftest import NewUrl
from tests.faults.kills import finish_kills, start_kills

ROWS = int(os.environ.get("BACKFILL_TEST_KILL_ROWS", "5000"))
KILLS = int(os.environ.get("BACKFILL_TEST_KILLS", "4"))


@pytest.mark.parametrize("batch", [100])
def test_random_kills_lose_and_double_nothing(new_url: NewUrl, batch: int) -> None:
    """Both forms, killed with SIGKILL somewhere, and resumed by another process."""
    forms = ("count_by_row", "count_in_sql")
    processes = [start_kills(new_url(), form, rows=ROWS, kills=KILLS, batch=batch) for form in forms]
    found = [finish_kills(process) for process in processes]
    assert all(siege.is_exact for siege in found), found
    assert all(siege.kills for siege in found), found
