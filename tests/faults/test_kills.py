"""A run that is killed at random moments and started again counts every row exactly once."""

import os

from tests.faults.conftest import NewUrl
from tests.faults.kills import finish_kills, start_kills

ROWS = int(os.environ.get("BACKFILL_TEST_KILL_ROWS", "5000"))
KILLS = int(os.environ.get("BACKFILL_TEST_KILLS", "4"))
MANY = 40


def test_random_kills_lose_and_double_nothing(new_url: NewUrl) -> None:
    """Both forms, killed with SIGKILL somewhere, and resumed by another process; the one with images is undone, too."""
    processes = [
        start_kills(new_url(), "count_by_row", "--keep-undo", rows=ROWS, kills=KILLS, batch=100),
        start_kills(new_url(), "count_in_sql", rows=ROWS, kills=KILLS, batch=100),
    ]
    found = [finish_kills(process) for process in processes]
    assert all(siege.is_exact for siege in found), found
    assert all(siege.kills for siege in found), found


def test_random_kills_find_out_a_checkpoint_in_another_transaction(new_url: NewUrl) -> None:
    """As soon as one of them falls between the two transactions."""
    url, flags = new_url(), ("--mutant", "checkpoint-after-data")
    sieges = (
        finish_kills(start_kills(url, "count_by_row", *flags, rows=MANY * 50, kills=MANY, batch=50)) for _ in range(9)
    )
    assert any(siege.doubled for siege in sieges)
