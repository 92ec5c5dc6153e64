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


SEVERAL = """
import backfill
from backfill import Insert
from fate import meet
from pydantic import BaseModel
from sqlalchemy import Connection


class Key(BaseModel):
    id: int


@backfill.seed()
def add_kinds() -> list[Insert]:
    return [Insert("kinds", {"name": name}, match="name") for name in ("new", "old")]


@backfill.transform("users")
def add_notes(user: Key) -> Insert:
    meet(user.id)
    return Insert("notes", {"user_id": user.id})


@backfill.step()
def count_notes(connection: Connection) -> int:
    count = "UPDATE kinds SET notes = coalesce(notes, 0) + (SELECT count(*) FROM notes)"
    return connection.exec_driver_sql(count).rowcount
"""

TABLES = """
op.create_table("kinds", sa.Column("name", sa.String(9), primary_key=True), sa.Column("notes", sa.Integer()))
op.create_table("notes", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("user_id", sa.Integer()))
"""


@pytest.mark.parametrize("row", WHOLE)
def test_several_data_steps_in_one_revision(project: Project, row: int) -> None:
    """They are done in their order; killed in the second, the upgrade neither repeats the first nor skips the third."""
    for name in ("add_kinds", "add_notes", "count_notes"):
        (project.root / "transforms" / f"{name}.py").write_text(SEVERAL)
    steps = [f'run_backfill("{name}")' for name in ("add_kinds", "add_notes", "count_notes")]
    project.add_revision("tables", TABLES)
    project.add_revision("several", "\n".join(steps))
    project.upgrade("contract")
    killed = project.call("alembic", "upgrade", "head", KILLED_AT=str(row))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (project.version(), len(project.scalars("SELECT id FROM notes"))) == ("tables", WHOLE[row])
    project.upgrade()
    assert project.version() == "several"
    assert sorted(project.scalars("SELECT user_id FROM notes")) == list(range(1, USERS + 1))
    assert project.scalars("SELECT notes FROM kinds") == [USERS] * 2


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
