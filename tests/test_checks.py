"""Preflight: every finding is told at once, each once, and consent is given by its code alone."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from backfill import checks
from backfill.checks import CHECKS, Examination, inspect_sources, preflight
from backfill.database import Database
from backfill.declaration.literal import from_document
from backfill.errors import ChecksFailed
from backfill.finding import Finding, Severity, consent
from backfill.rows.opening import open_targets
from tests.refusal import execute, refuse

TRIGGERS = [
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(3) NOT NULL)",
    "CREATE TABLE admins (id INTEGER PRIMARY KEY, name VARCHAR(3) NOT NULL)",
    "CREATE TRIGGER one AFTER UPDATE ON users BEGIN SELECT 1; END",
    "CREATE TRIGGER two AFTER UPDATE ON users BEGIN SELECT 1; END",
]
fill_name = from_document("fill_name", '{"tables": ["users", "admins"], "set": {"name": "x"}}')
bad_name = from_document("bad_name", '{"tables": ["users", "admins"], "set": {"name": "long", "nmae": null}}')


@pytest.fixture
def users(sqlite_url: sa.URL) -> sa.Engine:
    """Give a database of two tables, one with triggers."""
    engine = sa.create_engine(sqlite_url)
    execute(engine, *TRIGGERS)
    return engine


def test_all_findings_of_all_tables_at_once(users: sa.Engine) -> None:
    """Nobody mends one thing only to hear of the next."""
    refusal = refuse(users, bad_name)
    assert isinstance(refusal, ChecksFailed)
    codes = [finding.code for finding in refusal.findings]
    assert codes == ["trigger", "trigger", "writes-unknown", "writes-length", "writes-unknown", "writes-length"]
    assert str(refusal).count("\n") == len(codes)


def test_consent_is_given_by_the_code(users: sa.Engine) -> None:
    """Another code, or none, does not help; what is accepted is handed back, to be shown."""
    with Database.of(users) as database:
        targets = open_targets(database, fill_name)
        for accept in ([], ["on-update"], ["Trigger"]):
            with pytest.raises(ChecksFailed) as refusal:
                preflight(targets, Examination(accept))
            assert {finding.code for finding in refusal.value.findings} == {"trigger"}
        assert [finding.severity for finding in preflight(targets, Examination(["trigger"]))] == [Severity.CONSENT] * 2


def test_a_refusal_cannot_be_accepted(users: sa.Engine) -> None:
    """Rows would be lost or wrong: there is nothing to consent to."""
    refusal = refuse(users, bad_name, accept=["trigger", "writes-unknown", "writes-length"])
    assert isinstance(refusal, ChecksFailed)
    assert {finding.code for finding in refusal.findings} == {"writes-unknown", "writes-length"}


def test_each_finding_once(users: sa.Engine) -> None:
    """What concerns the server is not told once a table."""
    execute(users, "PRAGMA user_version = 1")
    with users.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = 1")
        connection.rollback()
        with Database(connection.execution_options(isolation_level="AUTOCOMMIT")) as database:
            codes = [finding.code for finding in inspect_sources(open_targets(database, fill_name))]
        connection.exec_driver_sql("PRAGMA query_only = 0")
    assert codes.count("read-only") == 1


def test_consent_says_how_it_is_given() -> None:
    """The next thing to type."""
    assert consent("trigger", "it fires") == Finding(
        "trigger", "it fires. If that is meant: --accept trigger", Severity.CONSENT
    )


def test_every_check_is_asked() -> None:
    """A check that nobody asks finds nothing: each file is in the list, but for changes, which are asked one by one."""
    files = {path.stem for path in Path(checks.__file__).parent.glob("[a-z]*.py")}
    assert {check.__module__.rpartition(".")[2] for check in CHECKS} | {"change"} == files
