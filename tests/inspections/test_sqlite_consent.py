"""SQLite: a run that touches or misses more than its definition says waits for somebody's consent."""

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from backfill.declaration.literal import from_document
from tests.refusal import execute, fill, find, rows_of

fill_name = from_document("fill_name", '{"table": "users", "where": {"name": null}, "set": {"name": "x"}}')

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)"
ROWS = "INSERT INTO users (id, name) VALUES (1, NULL), (2, 'Ada')"


@pytest.fixture
def engine(sqlite_url: sa.URL) -> sa.Engine:
    """Give a database whose one connection all statements share, settings and temporary tables included."""
    return sa.create_engine(sqlite_url, poolclass=StaticPool)


TRIGGER = "CREATE TRIGGER audit {when} ON users BEGIN UPDATE seen SET n = n + 1; END"


@pytest.mark.parametrize(
    "when", ["AFTER UPDATE", "BEFORE UPDATE", "after update of name", "AFTER UPDATE OF\n id, name"]
)
def test_a_trigger_asks_for_consent(engine: sa.Engine, when: str) -> None:
    """It would do more than the definition says; `accept` says that this is meant."""
    execute(
        engine, USERS, ROWS, "CREATE TABLE seen (n INTEGER)", "INSERT INTO seen VALUES (0)", TRIGGER.format(when=when)
    )
    finding = find(engine, fill_name, "trigger")
    assert finding.message == (
        "trigger audit fires for every row that is written to users. If that is meant: --accept trigger"
    )
    fill(engine, fill_name, accept=["trigger"])
    assert rows_of(engine, "SELECT n FROM seen") == [(1,)]


@pytest.mark.parametrize("when", ["AFTER INSERT", "AFTER DELETE"])
def test_triggers_that_do_not_fire_are_nobodys_concern(engine: sa.Engine, when: str) -> None:
    """A trigger for another verb, whatever it does."""
    execute(engine, USERS, ROWS, "CREATE TABLE seen (n INTEGER)", TRIGGER.format(when=when))
    fill(engine, fill_name)


@pytest.mark.parametrize("rule", ["REPLACE", "ignore"])
def test_a_table_that_refuses_no_row_asks_for_consent(engine: sa.Engine, rule: str) -> None:
    """Rows would be deleted, or left out, while the run says that it wrote them."""
    execute(engine, f"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE ON CONFLICT {rule})", ROWS)
    finding = find(engine, fill_name, "conflict-clause")
    assert finding.message.startswith(
        f"users says ON CONFLICT {rule.upper()}, so a row that breaks a rule is not refused"
    )
    fill(engine, fill_name, accept=["conflict-clause"])


CHILD = "CREATE TABLE pets (id INTEGER PRIMARY KEY, owner TEXT REFERENCES users (name) ON UPDATE {rule})"
UNIQUE_NAMES = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"


@pytest.mark.parametrize("rule", ["CASCADE", "SET NULL", "SET DEFAULT"])
def test_a_write_that_reaches_other_tables_asks_for_consent(engine: sa.Engine, rule: str) -> None:
    """A foreign key carries the new value on to rows that the definition does not name."""
    execute(engine, "PRAGMA foreign_keys = ON", UNIQUE_NAMES, CHILD.format(rule=rule), ROWS)
    assert (
        "pets refers to users.name ON UPDATE, so its rows are written too" in find(engine, fill_name, "cascade").message
    )
    fill(engine, fill_name, accept=["cascade"])


@pytest.mark.parametrize(("enforced", "rule"), [("ON", "NO ACTION"), ("ON", "RESTRICT"), ("OFF", "CASCADE")])
def test_foreign_keys_that_write_nothing(engine: sa.Engine, enforced: str, rule: str) -> None:
    """Keys that refuse, and keys that SQLite does not enforce."""
    execute(engine, f"PRAGMA foreign_keys = {enforced}", UNIQUE_NAMES, CHILD.format(rule=rule), ROWS)
    fill(engine, fill_name)
