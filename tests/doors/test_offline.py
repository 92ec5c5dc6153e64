"""`alembic upgrade --sql`: the data step is a comment, and the gate a statement that fails on the real database."""

import sqlite3

import pytest
import sqlalchemy as sa

from tests.doors.conftest import USERS
from tests.doors.projects import Project

REFUSALS = {
    "sqlite": "malformed JSON",
    "postgresql": "backfill greet is not completed; run: backfill run greet",
    "mysql": "1242",
}
STATUSES = ["pending", "running", "paused", "failed", "cancelled", "undone"]


@pytest.fixture
def gated(project: Project) -> Project:
    """Give a project whose last revision is a gate alone: SQLite's batch mode cannot be written as a script."""
    versions = project.root / "migrations" / "versions"
    (versions / "contract.py").unlink()
    project.head = "fill"
    project.add_revision("gate", 'require_backfill("greet")')
    return project


def test_data_step_is_a_comment(gated: Project) -> None:
    """Nothing of the data step is executed by the script, and the reader learns what to run instead."""
    script = gated.script("expand:fill")
    assert "-- DATA STEP: stop here and run:  backfill run greet" in script
    gated.upgrade("expand")
    execute_script(gated.url, script)
    assert (gated.version(), gated.pending()) == ("fill", USERS)


def test_gate_passes_after_the_run(gated: Project) -> None:
    """The script goes on once the ledger says completed."""
    gated.upgrade("fill")
    execute_script(gated.url, gated.script("fill:gate"))
    assert gated.version() == "gate"


def test_gate_fails_before_the_run_is_completed(gated: Project) -> None:
    """In every other status the script stops, and nothing behind the gate is executed."""
    gated.upgrade("fill")
    script = gated.script("fill:gate")
    for status in STATUSES:
        gated.execute(f"UPDATE backfill_run SET status = '{status}'")
        with pytest.raises((sa.exc.DBAPIError, sqlite3.Error), match=REFUSALS[gated.url.get_backend_name()]):
            execute_script(gated.url, script)
        assert gated.version() == "fill"


def test_gate_asks_for_the_newest_run(gated: Project) -> None:
    """A completed run of last year does not open the gate for this year's."""
    gated.upgrade("fill")
    gated.downgrade("expand")
    gated.upgrade("fill", "backfill=defer")
    assert gated.scalars("SELECT status FROM backfill_run ORDER BY id") == ["undone", "pending"]
    gated.execute("UPDATE backfill_run SET status = 'completed' WHERE id = 1")
    with pytest.raises((sa.exc.DBAPIError, sqlite3.Error)):
        execute_script(gated.url, gated.script("fill:gate"))


def test_reset_in_a_script(gated: Project) -> None:
    """reset_backfill in a downgrade script makes the next upgrade start afresh."""
    gated.upgrade("fill")
    execute_script(gated.url, gated.downgrade_script("fill:expand"))
    assert (gated.version(), gated.status()) == ("expand", "undone")
    gated.execute("UPDATE users SET greeting = NULL")
    gated.upgrade()
    assert (gated.version(), gated.greetings()) == ("gate", USERS)


def test_ledger_in_a_script(gated: Project) -> None:
    """create_ledger writes the very tables that a run would create."""
    gated.add_revision("ledger", "create_ledger()", "drop_ledger()")
    gated.upgrade("expand")
    execute_script(gated.url, gated.script("gate:ledger"))
    assert gated.scalars("SELECT version FROM backfill_version") == [1]
    gated.upgrade("gate")
    assert gated.greetings() == USERS


def execute_script(url: sa.URL, script: str) -> None:
    """Execute a script as the database's own client does, which stops at the first error."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.executescript(script)
        elif engine.dialect.name == "postgresql":
            connection.exec_driver_sql(script)  # several statements in one, as psql -c takes them
        else:
            for statement in filter(str.strip, script.split(";\n")):
                connection.exec_driver_sql(statement.replace("%", "%%"))
