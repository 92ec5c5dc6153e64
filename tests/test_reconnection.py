"""A lost link is no reason to stop while the ledger knows how far we came."""

from collections.abc import Callable

import pytest

from backfill.command.reconnection import ATTEMPTS, reconnecting
from backfill.errors import LinkLost, Paused, Unreachable
from tests.workspace import SLOWLY, Workspace


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Give the waits between two tries, none of which is waited for."""
    naps: list[float] = []
    monkeypatch.setattr("backfill.command.reconnection.time.sleep", naps.append)
    return naps


def failing(*errors: Exception) -> tuple[Callable[[], None], list[Exception]]:
    """Work that meets these errors, one at a time, before it succeeds; and the errors that are left."""
    left = list(errors)

    def work() -> None:
        if left:
            raise left.pop(0)

    return work, left


def test_work_that_succeeds_is_done_once(naps: list[float]) -> None:
    """Without an error nothing is repeated."""
    calls: list[int] = []
    reconnecting(lambda: calls.append(1))
    assert (calls, naps) == ([1], [])


def test_a_server_that_restarts_is_waited_for(naps: list[float]) -> None:
    """The link is lost, then nobody answers for a while: the work goes on as soon as somebody does."""
    work, left = failing(LinkLost("gone"), Unreachable("starting"), Unreachable("starting"))
    reconnecting(work)
    assert left == []
    assert naps == sorted(naps)
    assert len(naps) == 3


def test_a_server_that_never_answered_is_not_waited_for(naps: list[float]) -> None:
    """A wrong URL does not become right by waiting."""
    work, _ = failing(Unreachable("wrong"))
    with pytest.raises(Unreachable):
        reconnecting(work)
    assert naps == []


def test_a_server_that_stays_away_is_told_as_a_lost_link(naps: list[float]) -> None:
    """Work is left, so the exit code is that of a stopped run, after about a minute."""
    work, left = failing(LinkLost("gone"), *[Unreachable("away")] * ATTEMPTS)
    with pytest.raises(LinkLost, match="gone"):
        reconnecting(work)
    assert len(left) == 1
    assert 45 < sum(naps) < 90


def test_losses_far_apart_are_not_losses_in_a_row(naps: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of days may lose its link every hour."""
    clock = iter(range(0, 1_000_000, 3_600))
    monkeypatch.setattr("backfill.command.reconnection.time.monotonic", lambda: float(next(clock)))
    work, left = failing(*[LinkLost("gone")] * (ATTEMPTS * 3))
    reconnecting(work)
    assert left == []
    assert set(naps) == {0.5}


def test_other_errors_are_not_repeated(naps: list[float]) -> None:
    """Only a lost link is worth another try."""
    work, _ = failing(Paused("asked"))
    with pytest.raises(Paused):
        reconnecting(work)
    assert naps == []


def test_a_killed_session_costs_no_row(server_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server throws the running command out: it connects again and completes, each row written once."""
    workspace = server_workspace
    find, kill = KILLS[workspace.engine.dialect.name]
    workspace.add_users(400)
    workspace.write_fill(body=SLOWLY)
    monkeypatch.setenv("BACKFILL_MAX_BATCH_SIZE", "20")
    with workspace.start("run", "fill_nickname") as process:
        workspace.wait_for_progress()
        with workspace.engine.connect() as connection:
            victims = list(connection.exec_driver_sql(find).scalars())
            for victim in victims:
                connection.exec_driver_sql(kill.format(victim))
        output, errors = process.communicate(timeout=60)
    assert len(victims) == 1
    assert process.returncode == 0, errors
    assert "connecting again" in errors
    assert "400 rows walked, 400 written" in output
    assert [row[2] for row in workspace.rows()] == [f"u{n}" for n in range(1, 401)]


KILLS = {
    "postgresql": (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'",
        "SELECT pg_terminate_backend({})",
    ),
    "mysql": (
        "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
        "KILL {}",
    ),
}
"""How to find the other clients' sessions (a server's own workers come and go), and how to end one."""
