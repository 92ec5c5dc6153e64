"""`alembic upgrade` on the three databases, through an env.py as `alembic init` writes it."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.util import CommandError

from tests.doors.conftest import USERS
from tests.doors.projects import Project, make_project


def test_upgrade_expands_fills_and_contracts(project: Project) -> None:
    """One upgrade to head fills every row before the column refuses NULL."""
    project.upgrade()
    assert project.version() == "contract"
    assert project.greetings() == USERS
    assert project.status() == "completed"
    with pytest.raises(sa.exc.DBAPIError):
        project.execute("INSERT INTO users (id, name) VALUES (1000, 'without greeting')")


def test_each_revision_may_commit_itself(postgresql_project: Project) -> None:
    """transaction_per_migration=True changes nothing about the result."""
    postgresql_project.edit(
        "migrations/env.py",
        "connection=connection, target",
        "connection=connection, transaction_per_migration=True, target",
    )
    postgresql_project.upgrade()
    assert (postgresql_project.version(), postgresql_project.greetings()) == ("contract", USERS)


def test_fresh_database_passes_the_gate(project: Project) -> None:
    """Without users there is nothing to wait for."""
    project.execute("DELETE FROM users")
    project.upgrade("head", "backfill=defer")
    assert project.version() == "contract"


def test_stamped_database_passes_the_gate(project: Project) -> None:
    """The rows are the truth: a database that was filled by other means needs no ledger."""
    project.upgrade("expand")
    project.execute("UPDATE users SET greeting = 'Hello anyway'")
    command.stamp(project.config(), "fill")
    project.upgrade()
    assert project.version() == "contract"


def test_database_stamped_without_filling_is_refused(sqlite_project: Project) -> None:
    """A stamp proves nothing about the rows."""
    sqlite_project.upgrade("expand")
    command.stamp(sqlite_project.config(), "fill")
    with pytest.raises(CommandError, match=rf"{USERS} rows of users still wait for greet \(never started\)"):
        sqlite_project.upgrade()
    assert sqlite_project.version() == "fill"


def test_refused_gate_keeps_the_expand_step(project: Project) -> None:
    """What came before the gate in the same upgrade stays, or the backfill could never be run."""
    with pytest.raises(CommandError, match="backfill run greet"):
        project.upgrade("head", "backfill=defer")
    assert project.version() == "fill"
    assert project.pending() == USERS
    assert project.status() == "pending"


def test_deferred_backfill_is_run_and_the_upgrade_repeated(project: Project) -> None:
    """The message of the gate says what to type, and typing it helps."""
    with pytest.raises(CommandError):
        project.upgrade("head", "backfill=defer")
    ran = project.call("backfill", "run", "greet")
    assert (ran.returncode, ran.stdout) == (0, f"greet: completed. {USERS} rows walked, {USERS} written.\n")
    project.upgrade("head", "backfill=defer")
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_the_command_to_type_goes_to_the_same_database(sqlite_project: Project) -> None:
    """With the upgrade's own -x and --config: without them env.py would choose another tenant's."""
    (sqlite_project.root / "alembic.ini").rename(sqlite_project.root / "prod.ini")
    given = ("-c", "prod.ini", "-x", "backfill=defer", "-x", "tenant=two")
    refused = sqlite_project.call("alembic", *given, "upgrade", "head")
    command = "backfill run --config prod.ini -x tenant=two greet"
    assert f"First: {command} " in refused.stderr
    assert sqlite_project.call(*command.split()).returncode == 0
    assert sqlite_project.call("alembic", *given, "upgrade", "head").returncode == 0
    script = sqlite_project.call("alembic", *given, "upgrade", "expand:contract", "--sql").stdout
    assert script.count(command) == 2


@pytest.mark.parametrize("place", ["alembic.ini", "pyproject.toml", "call"])
def test_deferral_may_be_configured(sqlite_project: Project, place: str) -> None:
    """`mode = defer` is understood in alembic.ini, in pyproject.toml and at the call."""
    (sqlite_project.root / "pyproject.toml").touch()
    if place == "alembic.ini":
        sqlite_project.append(place, "\n[backfill]\nmode = defer\n")
    elif place == "pyproject.toml":
        sqlite_project.append(place, '\n[tool.backfill]\nmode = "defer"\n')
    else:
        sqlite_project.edit("migrations/versions/fill.py", '"greet")', '"greet", mode="defer")')
    sqlite_project.upgrade("fill")
    assert (sqlite_project.status(), sqlite_project.pending()) == ("pending", USERS)


def test_argument_wins_over_configuration(sqlite_project: Project) -> None:
    """`-x backfill=inline` fills although alembic.ini defers."""
    sqlite_project.append("alembic.ini", "\n[backfill]\nmode = defer\n")
    sqlite_project.upgrade("fill", "backfill=inline")
    assert (sqlite_project.status(), sqlite_project.pending()) == ("completed", 0)


def test_unknown_mode_is_refused(sqlite_project: Project) -> None:
    """A misspelt mode is not taken for the default."""
    with pytest.raises(CommandError, match="mode: Input should be 'inline' or 'defer'"):
        sqlite_project.upgrade("fill", "backfill=later")


def test_missing_transform_is_refused(sqlite_project: Project) -> None:
    """A revision that names no transform says so, and what to do."""
    (sqlite_project.root / "transforms" / "greet.py").unlink()
    with pytest.raises(CommandError, match=r"no transform 'greet' in transforms/.*backfill new greet"):
        sqlite_project.upgrade()
    assert sqlite_project.version() in ("users", "expand")


def test_downgrade_and_upgrade_fill_again(project: Project) -> None:
    """A column that was dropped and added again is filled again, as often as one likes."""
    for _ in range(2):
        project.upgrade()
        assert project.greetings() == USERS
        project.downgrade("users")
        assert project.status() == "undone"
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_downgrade_of_the_data_step_keeps_the_data(sqlite_project: Project) -> None:
    """Between fill and expand nothing is lost; new rows are filled by the next upgrade."""
    sqlite_project.upgrade()
    sqlite_project.downgrade("expand")
    assert sqlite_project.greetings() == USERS
    sqlite_project.execute("INSERT INTO users (id, name) VALUES (1000, 'User 1000')")
    sqlite_project.upgrade()
    assert sqlite_project.greetings() == USERS + 1


def test_column_filled_again_without_a_reset(sqlite_project: Project) -> None:
    """A downgrade that forgot reset_backfill does no harm where the condition tells which rows wait."""
    sqlite_project.edit("migrations/versions/fill.py", 'reset_backfill("greet")', "pass")
    sqlite_project.upgrade()
    sqlite_project.downgrade("users")
    sqlite_project.upgrade()
    assert (sqlite_project.version(), sqlite_project.greetings()) == ("contract", USERS)


def test_counter_waits_for_its_reset(project: Project) -> None:
    """Without a condition the ledger decides: a repeated upgrade counts again only after reset_backfill."""
    project.add_revision("count", 'run_backfill("count_visits")', 'reset_backfill("count_visits")')
    project.upgrade()
    assert project.visits() == [1] * USERS
    command.stamp(project.config(), "contract")
    project.upgrade()
    assert project.visits() == [1] * USERS
    project.downgrade("contract")
    project.upgrade()
    assert project.visits() == [2] * USERS


def test_gate_without_condition_asks_the_ledger(project: Project) -> None:
    """Where no condition tells which rows wait, only a completed run opens the gate."""
    project.add_revision("count", 'run_backfill("count_visits", mode="defer")')
    project.add_revision("counted", 'require_backfill("count_visits")')
    with pytest.raises(CommandError, match="rows of users still wait for count_visits"):
        project.upgrade()
    assert project.call("backfill", "run", "count_visits").returncode == 0
    project.upgrade()
    assert (project.version(), project.visits()) == ("counted", [1] * USERS)


def test_failing_transform_is_one_clear_line(project: Project) -> None:
    """The command fails with our sentence, without a traceback or a row's values, and whole batches stay."""
    failed = project.call("alembic", "upgrade", "head", RAISES_AT="25")
    assert failed.returncode == 255
    assert "users row 25: ValueError at fate.py, line " in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stderr
    assert "this row cannot be filled" not in failed.stderr
    assert (project.version(), project.pending()) == ("expand", USERS - 20)
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_ledger_in_a_revision_of_its_own(root: Path, database_url: sa.URL) -> None:
    """create_ledger and drop_ledger serve teams whose application may not create tables."""
    project = make_project(root, database_url)
    project.add_revision("ledger", "create_ledger()", "drop_ledger()")
    project.add_story()
    for _ in range(2):
        project.upgrade("users")
        project.add_users(USERS)
        project.upgrade()
        assert (project.version(), project.greetings()) == ("contract", USERS)
        project.downgrade("base")
        engine = sa.create_engine(project.url, poolclass=sa.NullPool)
        assert sa.inspect(engine).get_table_names() == ["alembic_version"]
