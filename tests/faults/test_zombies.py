"""A worker that is stopped in its tracks, overtaken and woken up changes nothing any more."""

from __future__ import annotations

import sqlalchemy as sa

from tests.faults.zombies import finish_haunting, start_haunting


def test_a_real_zombie_does_no_harm(database_url: sa.URL) -> None:
    """SIGSTOP at some statements of a batch, another worker meanwhile, SIGCONT; the attacks do so at all of them."""
    found = finish_haunting(start_haunting(database_url, "count_by_row", "--every", "4"))
    assert found.is_clean, found
    assert found.taken_over, found


def test_a_real_zombie_without_a_fence_doubles_rows(server_url: sa.URL) -> None:
    """On SQLite a zombie has the write lock or has read nothing yet, so there is nothing to be shown."""
    found = finish_haunting(start_haunting(server_url, "count_by_row", "--every", "4", "--mutant", "rowcount-ignored"))
    assert found.doubled, found
