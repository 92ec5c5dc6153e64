"""A downgrade that undoes a data step: rows are as they were, whatever kills it, and what others changed stays."""

import pytest
import sqlalchemy as sa
from alembic.util import CommandError

from tests.doors.conftest import USERS
from tests.doors.projects import Project

COUNT = 'run_backfill("count_visits")'
UNDO = 'undo_backfill("count_visits")'


@pytest.fixture
def counted(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project in which every visit was counted, with images."""
    monkeypatch.setenv("BACKFILL_KEEP_UNDO", "true")
    project.add_revision("count", COUNT, UNDO)
    project.upgrade()
    assert project.visits() == [1] * USERS
    return project


def test_downgrade_puts_rows_back(counted: Project) -> None:
    """And the next upgrade counts them again, once."""
    counted.downgrade("contract")
    assert counted.visits() == [0] * USERS
    counted.upgrade()
    assert counted.visits() == [1] * USERS


def test_killed_downgrade_goes_on(counted: Project) -> None:
    """The revision stays stamped until all rows are back; the same command takes the rest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backfill.running.undoer._Session._end", _die)
        with pytest.raises(KeyboardInterrupt):
            counted.downgrade("contract")
    assert counted.version() == "count"
    assert counted.call("backfill", "run", "count_visits").returncode == 2
    counted.downgrade("contract")
    assert (counted.version(), counted.visits()) == ("contract", [0] * USERS)


def test_rows_that_were_changed_since_stay(counted: Project) -> None:
    """The downgrade goes through, and says how many and which."""
    engine = sa.create_engine(counted.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET visits = 9 WHERE id = 7")
    done = counted.call("alembic", "downgrade", "contract")
    assert done.returncode == 0, done.stderr
    told = "1 row stays as it is: it was changed since, or another is in its way. First: users 7"
    assert told in done.stdout + done.stderr
    assert sorted(counted.visits()) == [0] * (USERS - 1) + [9]


def test_without_images_the_downgrade_is_refused(project: Project) -> None:
    """Before anything is touched, with the word that a downgrade says instead."""
    project.add_revision("count", COUNT, UNDO)
    project.upgrade()
    with pytest.raises(CommandError, match=r'says reset_backfill\("count_visits"\)'):
        project.downgrade("contract")
    assert (project.version(), project.visits()) == ("count", [1] * USERS)


def test_undo_in_a_script_is_a_comment(sqlite_project: Project) -> None:
    """As the data step itself."""
    sqlite_project.add_revision("count", COUNT, UNDO)
    script = sqlite_project.call("alembic", "downgrade", "count:contract", "--sql")
    assert script.returncode == 0, script.stderr
    assert "-- DATA STEP: stop here and run:  backfill undo count_visits" in script.stdout


def _die(_session: object) -> None:
    raise KeyboardInterrupt
