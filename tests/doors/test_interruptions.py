"""Upgrades that are killed, cut off, or started twice: whole batches stay, and alembic_version is never ahead."""

import signal
import time
from pathlib import Path

import pytest
from alembic.util import CommandError

from tests.doors.conftest import USERS
from tests.doors.projects import Project

WHOLE = {25: 20, USERS: 40}
"""Rows in whole batches before the one that is killed."""


@pytest.mark.parametrize("row", WHOLE)
def test_killed_upgrade_resumes(project: Project, row: int) -> None:
    """SIGKILL in any batch leaves whole batches and an unstamped revision; the same command finishes it."""
    project.add_revision("count", 'run_backfill("count_visits")')
    project.upgrade("contract")
    killed = project.call("alembic", "upgrade", "head", KILLED_AT=str(row))
    assert killed.returncode == -signal.SIGKILL
    assert project.version() == "contract"
    assert sum(project.visits()) == WHOLE[row]
    project.upgrade()
    assert project.version() == "count"
    assert project.visits() == [1] * USERS


def test_killed_before_the_gate(project: Project) -> None:
    """The expand step of the same upgrade is committed and stamped before the first batch."""
    killed = project.call("alembic", "upgrade", "head", KILLED_AT="25")
    assert killed.returncode == -signal.SIGKILL
    assert (project.version(), project.greetings()) == ("expand", 20)
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_killed_backfill_run_resumes_in_the_upgrade(project: Project) -> None:
    """What `backfill run` has begun, an upgrade may finish, row by row exactly once."""
    project.add_revision("count", 'run_backfill("count_visits")')
    project.upgrade("contract")
    killed = project.call("backfill", "run", "count_visits", KILLED_AT="25")
    assert killed.returncode == -signal.SIGKILL
    assert sum(project.visits()) == 20
    project.upgrade()
    assert (project.version(), project.visits()) == ("count", [1] * USERS)


def test_interrupted_upgrade_pauses(project: Project) -> None:
    """Ctrl-C finishes the batch at hand, leaves the run paused, and is told in one line."""
    project.upgrade("expand")
    upgrade = project.start("alembic", "upgrade", "head", HELD_AT="25")
    wait_for(project.root / "held")
    upgrade.send_signal(signal.SIGINT)
    (project.root / "go").touch()
    out, err = upgrade.communicate(timeout=30)
    assert upgrade.returncode == 255
    assert "Traceback" not in err
    assert "greet is not finished: stopped by SIGINT; to go on, repeat the upgrade" in out + err
    assert (project.version(), project.status(), project.greetings()) == ("expand", "paused", 30)
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_two_upgrades_at_once(project: Project) -> None:
    """The second waits for the first, and no row is counted twice."""
    project.add_revision("count", 'run_backfill("count_visits")')
    project.upgrade("contract")
    first = project.start("alembic", "upgrade", "head", HELD_AT="25")
    wait_for(project.root / "held")
    second = project.start("alembic", "upgrade", "head")
    time.sleep(1.5)  # long enough to meet the first one's lease
    assert second.poll() is None
    (project.root / "go").touch()
    outcomes = [process.communicate(timeout=60) for process in (first, second)]
    assert 0 in (first.returncode, second.returncode)
    assert all("Traceback" not in err for _, err in outcomes)
    assert project.visits() == [1] * USERS
    project.upgrade()
    assert (project.version(), project.visits()) == ("count", [1] * USERS)


def test_connection_lost_during_the_step(server_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminated backend is one clear error, and the next upgrade goes on after the last whole batch."""
    server_project.upgrade("expand")
    with monkeypatch.context() as environment:
        environment.setenv("CUT_AT", "25")
        environment.setenv("CUT_URL", server_project.url.render_as_string(hide_password=False))
        with pytest.raises(
            CommandError, match=r"^greet is not finished: the connection .* is gone .* repeat the upgrade"
        ):
            server_project.upgrade()
    assert (server_project.version(), server_project.greetings()) == ("expand", 20)
    server_project.upgrade()
    assert (server_project.version(), server_project.greetings()) == ("contract", USERS)


def wait_for(path: Path) -> None:
    """Wait until another process has made a file."""
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.02)
