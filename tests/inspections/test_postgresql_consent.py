"""PostgreSQL: a run that touches or misses more than its definition says waits for somebody's consent."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from backfill.declaration.literal import from_document
from tests.refusal import execute, fill, find, rows_of

fill_name = from_document("fill_name", '{"table": "users", "where": {"name": null}, "set": {"name": "x"}}')

USERS = "CREATE TABLE users (id integer PRIMARY KEY, name text)"
ROWS = "INSERT INTO users (id, name) VALUES (1, NULL), (2, 'Ada')"


@pytest.fixture
def engine(postgresql_url: sa.URL) -> Iterator[sa.Engine]:
    """Give a database whose one connection all statements share, settings and temporary tables included."""
    engine = sa.create_engine(postgresql_url, poolclass=StaticPool)
    yield engine
    engine.dispose()


TRIGGER = "CREATE TRIGGER audit {when} ON users FOR EACH {each} EXECUTE FUNCTION note()"
NOTE = """
    CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN UPDATE seen SET n = n + 1; RETURN NEW; END $$
"""


@pytest.mark.parametrize("each", ["ROW", "STATEMENT"])
@pytest.mark.parametrize("when", ["BEFORE UPDATE", "AFTER UPDATE", "AFTER INSERT OR UPDATE", "AFTER UPDATE OF name"])
def test_a_trigger_asks_for_consent(engine: sa.Engine, when: str, each: str) -> None:
    """It would do more than the definition says; `accept` says that this is meant."""
    execute(engine, USERS, ROWS, "CREATE TABLE seen (n integer)", "INSERT INTO seen VALUES (0)", NOTE)
    execute(engine, TRIGGER.format(when=when, each=each))
    finding = find(engine, fill_name, "trigger")
    assert finding.message.startswith("trigger audit fires for every row that is written to users.")
    assert rows_of(engine, "SELECT n FROM seen") == [(0,)], "the refusal itself fires no trigger"
    fill(engine, fill_name, accept=["trigger"])
    assert rows_of(engine, "SELECT n > 0 FROM seen") == [(True,)]


@pytest.mark.parametrize("when", ["AFTER INSERT", "AFTER DELETE", "AFTER TRUNCATE"])
def test_triggers_that_do_not_fire_are_nobodys_concern(engine: sa.Engine, when: str) -> None:
    """A trigger for another verb."""
    execute(engine, USERS, ROWS, "CREATE TABLE seen (n integer)", NOTE, TRIGGER.format(when=when, each="STATEMENT"))
    fill(engine, fill_name)


def test_a_disabled_trigger_is_nobodys_concern(engine: sa.Engine) -> None:
    """It does not fire."""
    execute(engine, USERS, ROWS, NOTE, TRIGGER.format(when="AFTER UPDATE", each="ROW"))
    execute(engine, "ALTER TABLE users DISABLE TRIGGER audit")
    fill(engine, fill_name)


@pytest.mark.parametrize("rule", ["CASCADE", "SET NULL", "SET DEFAULT"])
def test_a_write_that_reaches_other_tables_asks_for_consent(engine: sa.Engine, rule: str) -> None:
    """A foreign key carries the new value on to rows that the definition does not name."""
    execute(
        engine,
        "CREATE TABLE users (id integer PRIMARY KEY, name text UNIQUE)",
        f"CREATE TABLE pets (owner text REFERENCES users (name) ON UPDATE {rule})",
        ROWS,
    )
    assert (
        "pets refers to users.name ON UPDATE, so its rows are written too" in find(engine, fill_name, "cascade").message
    )
    fill(engine, fill_name, accept=["cascade"])


def test_a_foreign_key_to_another_column(engine: sa.Engine) -> None:
    """What is not written carries nothing on."""
    execute(engine, USERS, "CREATE TABLE pets (owner integer REFERENCES users (id) ON UPDATE CASCADE)", ROWS)
    fill(engine, fill_name)


def test_hidden_rows_ask_for_consent(engine: sa.Engine, postgresql_url: sa.URL) -> None:
    """Under row security "all rows" are those that this user may see."""
    role = f"tenant_{postgresql_url.database}"
    execute(
        engine,
        USERS,
        ROWS,
        "INSERT INTO users VALUES (3, NULL)",
        f"CREATE ROLE {role}",
        f"GRANT ALL ON SCHEMA public TO {role}",
        f"GRANT ALL ON users TO {role}",
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY first_ones ON users USING (id < 3)",
        f"SET ROLE {role}",
    )
    try:
        assert "row security may hide rows of users from this user" in find(engine, fill_name, "row-security").message
        fill(engine, fill_name, accept=["row-security"])
        execute(engine, "RESET ROLE")
        assert rows_of(engine, "SELECT id FROM users WHERE name IS NULL") == [(3,)]
    finally:
        execute(engine, "RESET ROLE", f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


def test_a_column_that_may_not_be_written(engine: sa.Engine, postgresql_url: sa.URL) -> None:
    """Missing rights are told before the first batch, by the database's own code."""
    role = f"reader_{postgresql_url.database}"
    execute(engine, USERS, ROWS, f"CREATE ROLE {role}", f"GRANT SELECT ON users TO {role}", f"SET ROLE {role}")
    try:
        message = find(engine, fill_name, "statement").message
        assert message.startswith("what is written of fill_name is refused by the database (42501)")
    finally:
        execute(engine, "RESET ROLE", f"DROP OWNED BY {role}", f"DROP ROLE {role}")
