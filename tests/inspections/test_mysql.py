"""MariaDB tables and servers that are refused: each by its own code, with nothing written."""

from collections.abc import Iterator
from dataclasses import replace
from signal import SIGKILL

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from backfill.declaration.literal import from_document
from tests.refusal import execute, fill, find, rows_of
from tests.servers import answers, mariadb
from tests.servers.throwaway import keep, new_directory, unprivileged_user

fill_name = from_document("fill_name", '{"table": "users", "where": {"name": null}, "set": {"name": "x"}}')

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(10))"
ROWS = "INSERT INTO users (id, name) VALUES (1, NULL), (2, 'Ada')"

BAD_TABLES: dict[str, tuple[str, str, list[str]]] = {
    "no key": ("no-key", "users has neither a primary key", ["CREATE TABLE users (id INTEGER, name TEXT)", ROWS]),
    "nullable unique key": (
        "no-key",
        "nor a unique constraint over NOT NULL columns",
        ["CREATE TABLE users (id INTEGER UNIQUE, name TEXT)", ROWS],
    ),
    "unique by its first letters": (
        "no-key",
        "ALTER TABLE users ADD PRIMARY KEY",
        ["CREATE TABLE users (id VARCHAR(20) NOT NULL, name TEXT, UNIQUE (id(3)))", ROWS],
    ),
    "FLOAT key": ("key-type", "is FLOAT", ["CREATE TABLE users (id FLOAT PRIMARY KEY, name TEXT)", ROWS]),
    "DOUBLE key": ("key-type", "is DOUBLE", ["CREATE TABLE users (id DOUBLE PRIMARY KEY, name TEXT)", ROWS]),
    "ENUM key": (
        "key-enum",
        "users.id is the key and is ENUM, which sorts by number but compares by name",
        ["CREATE TABLE users (id ENUM ('b', 'a') PRIMARY KEY, name TEXT)", "INSERT INTO users VALUES ('a', NULL)"],
    ),
    "SET key": (
        "key-enum",
        "users.id is the key and is SET",
        ["CREATE TABLE users (id SET ('b', 'a') PRIMARY KEY, name TEXT)", "INSERT INTO users VALUES ('a', NULL)"],
    ),
    "ENUM in the key": (
        "key-enum",
        "users.kind is the key and is ENUM",
        ["CREATE TABLE users (id INTEGER, kind ENUM ('b', 'a'), name TEXT, PRIMARY KEY (id, kind))"],
    ),
    "TIME key": (
        "key-time",
        "users.id is the key and is TIME, which may lie outside of a day",
        ["CREATE TABLE users (id TIME PRIMARY KEY, name TEXT)", "INSERT INTO users VALUES ('-838:59:59', NULL)"],
    ),
    "MyISAM": (
        "engine",
        "users is MyISAM, which keeps changes after a ROLLBACK: ALTER TABLE users ENGINE = InnoDB",
        [f"{USERS} ENGINE = MyISAM", ROWS],
    ),
    "Aria": ("engine", "users is Aria, which keeps changes after a ROLLBACK", [f"{USERS} ENGINE = Aria", ROWS]),
    "memory": ("engine", "users is MEMORY, which keeps changes", [f"{USERS} ENGINE = MEMORY", ROWS]),
    "view": (
        "not-a-table",
        "users is a view; name the table that holds the rows",
        [USERS.replace("users", "people"), "CREATE VIEW users AS SELECT * FROM people"],
    ),
    "sequence": ("not-a-table", "users is a sequence", ["CREATE SEQUENCE users"]),
    "temporary table": (
        "temporary-table",
        "users is a temporary table; it is gone when the connection ends",
        [USERS.replace("TABLE", "TEMPORARY TABLE"), ROWS],
    ),
    "temporary table before a lasting one": (
        "temporary-table",
        "users is a temporary table",
        [USERS, ROWS, USERS.replace("TABLE", "TEMPORARY TABLE")],
    ),
    "MyISAM ledger": (
        "ledger-engine",
        "the ledger cannot be trusted: backfill_run is MyISAM",
        [USERS, "CREATE TABLE backfill_run (id INTEGER) ENGINE = MyISAM"],
    ),
    "partition key written": (
        "writes-key",
        "fill_name writes users.name, by which it walks",
        [
            "CREATE TABLE users (id INTEGER, name VARCHAR(10), PRIMARY KEY (id, name)) "
            "PARTITION BY KEY (name) PARTITIONS 2"
        ],
    ),
    "generated column": (
        "writes-generated",
        "fill_name writes users.name, which the database computes: leave it out of the output model",
        ["CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT AS (concat('a', 'b')) STORED)"],
    ),
    "an enum that does not know the text": (
        "writes-choice",
        "users.name does not know 'x'; it knows xs, xl. Did you mean xs?",
        ["CREATE TABLE users (id INTEGER PRIMARY KEY, name ENUM ('xs', 'xl'))"],
    ),
    "a column that is too narrow": (
        "writes-length",
        "the text for users.name has 1 characters; it holds 0",
        ["CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(0))"],
    ),
    "read-only session": (
        "read-only",
        "this session may not write: SET GLOBAL TRANSACTION READ WRITE, then connect again",
        [USERS, ROWS, "SET SESSION TRANSACTION READ ONLY"],
    ),
}


@pytest.fixture
def engine(mariadb_url: sa.URL) -> Iterator[sa.Engine]:
    """Give a database whose one connection all statements share, settings and temporary tables included."""
    engine = sa.create_engine(mariadb_url, poolclass=StaticPool)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(("code", "told", "statements"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_table_that_would_lose_rows(engine: sa.Engine, code: str, told: str, statements: list[str]) -> None:
    """Its code, its message, and not a row changed."""
    execute(engine, *statements)
    assert told in find(engine, fill_name, code).message


def test_a_read_only_server(mariadb_url: sa.URL) -> None:
    """A replica: refused even for an account that could write there."""
    with own_server() as (engine, administrator):
        execute(engine, USERS, ROWS)
        execute(administrator, "SET GLOBAL read_only = 1")
        assert find(engine, fill_name, "read-only").message == "the server is read-only; run on the primary"
        execute(administrator, "SET GLOBAL read_only = 0")
        fill(engine, fill_name)


def test_a_log_that_cannot_hold_read_committed(mariadb_url: sa.URL) -> None:
    """binlog_format = STATEMENT is refused, ROW and MIXED are fine."""
    with own_server("--log-bin", "--server-id=1") as (engine, administrator):
        execute(engine, USERS, ROWS)
        for good in ("ROW", "MIXED"):
            execute(administrator, f"SET GLOBAL binlog_format = '{good}'")
            engine.dispose()
            fill(engine, fill_name)
            execute(engine, "UPDATE users SET name = NULL WHERE id = 1")
        execute(administrator, "SET GLOBAL binlog_format = 'STATEMENT'")
        engine.dispose()
        told = find(engine, fill_name, "binlog-format").message
        assert told == ("binlog_format is STATEMENT, which cannot log READ COMMITTED: SET GLOBAL binlog_format = 'ROW'")


TRIGGER = "CREATE TRIGGER audit {when} ON users FOR EACH ROW UPDATE seen SET n = n + 1"
SEEN = "CREATE TABLE seen (n INTEGER)"


@pytest.mark.parametrize("when", ["BEFORE UPDATE", "AFTER UPDATE"])
def test_a_trigger_asks_for_consent(engine: sa.Engine, when: str) -> None:
    """It would do more than the definition says; `accept` says that this is meant."""
    execute(engine, USERS, ROWS, SEEN, "INSERT INTO seen VALUES (0)", TRIGGER.format(when=when))
    assert find(engine, fill_name, "trigger").message == (
        "trigger audit fires for every row that is written to users. If that is meant: --accept trigger"
    )
    fill(engine, fill_name, accept=["trigger"])
    assert rows_of(engine, "SELECT n FROM seen") == [(1,)]


def test_triggers_that_do_not_fire_are_nobodys_concern(engine: sa.Engine) -> None:
    """A trigger for another verb."""
    execute(engine, USERS, ROWS, SEEN, TRIGGER.format(when="AFTER INSERT"))
    fill(engine, fill_name)


TOUCHED = "ALTER TABLE users ADD touched TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP"


def test_a_time_of_the_last_write_asks_for_consent(engine: sa.Engine) -> None:
    """ON UPDATE CURRENT_TIMESTAMP would say that the application touched every row."""
    execute(engine, USERS, ROWS, TOUCHED)
    assert find(engine, fill_name, "on-update").message == (
        "users.touched is set to the time of every write (ON UPDATE CURRENT_TIMESTAMP). If that is meant: "
        "--accept on-update"
    )
    fill(engine, fill_name, accept=["on-update"])
    assert rows_of(engine, "SELECT id FROM users WHERE touched IS NOT NULL") == [(1,)]


def test_a_time_that_is_written_is_not_touched(engine: sa.Engine) -> None:
    """The transform's own value stands, so there is nothing to ask."""
    execute(engine, USERS, ROWS, TOUCHED)
    transform = from_document("fill_name", '{"table": "users", "set": {"name": "x", "touched": null}}')
    fill(engine, transform)
    assert rows_of(engine, "SELECT id FROM users WHERE touched IS NOT NULL") == []


@pytest.mark.parametrize("rule", ["CASCADE", "SET NULL"])
def test_a_write_that_reaches_other_tables_asks_for_consent(engine: sa.Engine, rule: str) -> None:
    """A foreign key carries the new value on to rows that the definition does not name."""
    execute(
        engine,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(10) UNIQUE)",
        f"CREATE TABLE pets (owner VARCHAR(10), FOREIGN KEY (owner) REFERENCES users (name) ON UPDATE {rule})",
        ROWS,
    )
    assert (
        "pets refers to users.name ON UPDATE, so its rows are written too" in find(engine, fill_name, "cascade").message
    )
    fill(engine, fill_name, accept=["cascade"])


def test_a_table_that_remembers_its_past(engine: sa.Engine) -> None:
    """System versioning keeps old rows, and the table is walked like any other."""
    execute(engine, f"{USERS} WITH SYSTEM VERSIONING", ROWS)
    fill(engine, fill_name)
    assert rows_of(engine, "SELECT name FROM users ORDER BY id") == [("x",), ("Ada",)]


def test_a_table_in_another_database(engine: sa.Engine) -> None:
    """Every question is asked of the table in its own database."""
    other = f"{engine.url.database}_other"
    execute(engine, f"CREATE DATABASE {other}", f"CREATE TABLE {other}.users (id INTEGER PRIMARY KEY) ENGINE = MyISAM")
    try:
        transform = from_document("fill_name", f'{{"table": "{other}.users", "set": {{"name": "x"}}}}')
        assert "users is MyISAM" in find(engine, transform, "engine").message
    finally:
        execute(engine, f"DROP DATABASE {other}")


class own_server:  # noqa: N801
    """A server with options of its own, whose global settings a test may change."""

    def __init__(self, *options: str) -> None:
        """Take what the server's command line gets besides the usual."""
        self._options = options

    def __enter__(self) -> tuple[sa.Engine, sa.Engine]:
        """Start it; give an engine on an empty database, and another for its administrator."""
        home = new_directory("mariadb")
        programs = (mariadb.find_program("mariadbd"), mariadb.find_program("mariadb-install-db"))
        *preparations, server = mariadb.commands(*programs, home, unprivileged_user("mysql"))
        started = replace(server, argv=[*server.argv, *self._options])
        self._server = keep(home, [*preparations, started], SIGKILL)
        url = sa.URL.create(mariadb.DRIVERNAME, "root", host="localhost", query={"unix_socket": str(home / "socket")})
        self._server.wait_until(lambda: mariadb.listens(home / "socket") and answers(url))
        self._administrator = sa.create_engine(url, poolclass=sa.NullPool)
        execute(self._administrator, "CREATE DATABASE app CHARACTER SET utf8mb4")
        self._engine = sa.create_engine(url.set(database="app"), poolclass=sa.NullPool)
        return self._engine, self._administrator

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._engine.dispose()
        self._administrator.dispose()
        self._server.stop()
