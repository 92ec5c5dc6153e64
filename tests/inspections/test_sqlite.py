"""SQLite tables and files that are refused: each by its own code, with nothing written."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.pool import StaticPool

import backfill
from backfill import Rows
from backfill.database import Database
from backfill.declaration.literal import from_document
from backfill.dialects.inspections.sqlite import remote_file_system
from backfill.dialects.sqlite import SQLite
from backfill.errors import Refused
from tests.refusal import contents, execute, fill, find, refuse, rows_of

fill_name = from_document("fill_name", '{"table": "users", "where": {"name": null}, "set": {"name": "x"}}')

USERS = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)"
ROWS = "INSERT INTO users (id, name) VALUES (1, NULL), (2, 'Ada')"

BAD_TABLES: dict[str, tuple[str, str, list[str]]] = {
    "no key": (
        "no-key",
        "users has neither a primary key nor a unique constraint over NOT NULL columns",
        ["CREATE TABLE users (id INTEGER, name TEXT)", ROWS],
    ),
    "nullable unique key": (
        "no-key",
        "ALTER TABLE users ADD PRIMARY KEY",
        ["CREATE TABLE users (id INTEGER UNIQUE, name TEXT)", ROWS],
    ),
    "partial unique index": (
        "no-key",
        "no order in which no row is lost",
        [
            "CREATE TABLE users (id INTEGER NOT NULL, name TEXT)",
            "CREATE UNIQUE INDEX some ON users (id) WHERE id > 1",
            ROWS,
        ],
    ),
    "no such table": (
        "no-table",
        "there is no table users in this database. Did you mean user?",
        [
            "CREATE TABLE user (id INTEGER PRIMARY KEY, name TEXT)",
        ],
    ),
    "REAL key": (
        "key-type",
        "users.id is the key and is REAL, which does not come back exactly as it is stored",
        ["CREATE TABLE users (id REAL PRIMARY KEY, name TEXT)", ROWS],
    ),
    "DOUBLE key": (
        "key-type",
        "give the table an integer, UUID or text key",
        ["CREATE TABLE users (id DOUBLE PRIMARY KEY, name TEXT)", ROWS],
    ),
    "fractions in a NUMERIC key": (
        "key-type",
        "do not come back exactly as they are stored",
        [
            "CREATE TABLE users (id NUMERIC NOT NULL PRIMARY KEY, name TEXT)",
            "INSERT INTO users VALUES (1.5, NULL), (2.5, NULL)",
        ],
    ),
    "NULL in a text key": (
        "key-null",
        "users.id is the key and holds NULL in some rows, which a walk by key would miss",
        ["CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT)", "INSERT INTO users VALUES (NULL, NULL), ('a', NULL)"],
    ),
    "NULL in a part of the key": (
        "key-null",
        "users.part is the key and holds NULL",
        [
            "CREATE TABLE users (id TEXT, part TEXT, name TEXT, PRIMARY KEY (id, part))",
            "INSERT INTO users VALUES ('a', NULL, NULL), ('a', 'b', NULL)",
        ],
    ),
    "mixed types in a key": (
        "key-mixed-types",
        "users.id is the key and holds both integer and text values",
        ["CREATE TABLE users (id PRIMARY KEY, name TEXT)", "INSERT INTO users VALUES (1, NULL), ('1', NULL)"],
    ),
    "bytes and text in a key": (
        "key-mixed-types",
        "both text and blob values: make them one type before the run",
        [
            "CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT)",
            "INSERT INTO users VALUES ('a', NULL), (x'61', NULL)",
        ],
    ),
    "view": (
        "not-a-table",
        "users is a view; name the table it is made of",
        ["CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)", "CREATE VIEW users AS SELECT * FROM people"],
    ),
    "full-text table": (
        "not-a-table",
        "users is a virtual table, which may not take part in a transaction",
        ["CREATE VIRTUAL TABLE users USING fts5 (name)"],
    ),
    "R-tree": (
        "not-a-table",
        "users is a virtual table",
        ["CREATE VIRTUAL TABLE users USING rtree (id, low, high)"],
    ),
}


@pytest.fixture
def engine(sqlite_url: sa.URL) -> sa.Engine:
    """Give a database whose one connection all statements share, settings and temporary tables included."""
    return sa.create_engine(sqlite_url, poolclass=StaticPool)


@pytest.mark.parametrize(("code", "told", "statements"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_table_that_would_lose_rows(engine: sa.Engine, code: str, told: str, statements: list[str]) -> None:
    """Its code, its message, and not a row changed."""
    execute(engine, *statements)
    assert told in find(engine, fill_name, code).message


def test_a_temporary_table(engine: sa.Engine) -> None:
    """It is refused, also when it hides a lasting one."""
    execute(engine, USERS, USERS.replace("CREATE", "CREATE TEMPORARY"), ROWS.replace("users", "temp.users"))
    finding = find(engine, fill_name, "temporary-table")
    assert finding.message == "users is a temporary table; it is gone when the connection ends"
    assert rows_of(engine, "SELECT name FROM temp.users ORDER BY id") == [(None,), ("Ada",)]


def test_a_table_in_an_attached_file(engine: sa.Engine, tmp_path: Path) -> None:
    """Two files are not committed together."""
    execute(engine, f"ATTACH '{tmp_path / 'other.db'}' AS other", USERS.replace("users", "other.users"))
    transform = from_document("fill_name", '{"table": "other.users", "set": {"name": "x"}}')
    assert "a batch and its checkpoint would be in two files" in find(engine, transform, "attached-table").message


@pytest.mark.parametrize(
    ("setting", "code", "told"),
    [
        ("journal_mode = OFF", "journal-mode", "journal_mode is off: ROLLBACK cannot take a batch back"),
        ("journal_mode = MEMORY", "journal-mode", "journal_mode is memory: a crash can corrupt the file"),
        ("query_only = 1", "read-only", "this connection may not write: open the file for writing"),
        (
            "synchronous = OFF",
            "synchronous",
            "a power cut can corrupt the file. If that is meant: --accept synchronous",
        ),
    ],
)
def test_a_setting_that_breaks_the_promise(engine: sa.Engine, setting: str, code: str, told: str) -> None:
    """Journals that cannot roll back, and connections that may not write."""
    execute(engine, USERS, ROWS, f"PRAGMA {setting}")
    assert told in find(engine, fill_name, code).message


def test_a_file_opened_for_reading(sqlite_url: sa.URL) -> None:
    """The file is there and readable, and that is not enough."""
    execute(sa.create_engine(sqlite_url), USERS, ROWS)
    reading = sa.create_engine(f"sqlite:///file:{sqlite_url.database}?mode=ro&uri=true", poolclass=StaticPool)
    assert "may not write" in find(reading, fill_name, "read-only").message


@pytest.mark.parametrize("journal", ["DELETE", "WAL", "TRUNCATE", "PERSIST"])
def test_safe_journals_are_fine(engine: sa.Engine, journal: str) -> None:
    """Every journal that survives a crash is taken, and looking at the file leaves it as it was."""
    execute(engine, f"PRAGMA journal_mode = {journal}", "PRAGMA user_version = 7", USERS, ROWS)
    fill(engine, fill_name)
    assert rows_of(engine, "PRAGMA user_version") == [(7,)]
    assert rows_of(engine, "SELECT name FROM users ORDER BY id") == [("x",), ("Ada",)]


def test_a_busy_file_is_not_a_read_only_one(engine: sa.Engine, sqlite_url: sa.URL) -> None:
    """While somebody else writes, nothing is said about this connection."""
    execute(engine, USERS, ROWS, "PRAGMA busy_timeout = 0")
    with sa.create_engine(sqlite_url, isolation_level="AUTOCOMMIT").connect() as writer:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            assert Database(connection).dialect.inspect_server(connection) == ()


MOUNTS = "/dev/sda1 / ext4 rw 0 0\nserver:/home /home nfs4 rw 0 0\ntmpfs /home/ada/fast tmpfs rw 0 0\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/home/ada/app.db", "nfs4"), ("/home/ada/fast/app.db", None), ("/srv/app.db", None), ("/homes/app.db", None)],
)
def test_network_drives(path: str, kind: str | None) -> None:
    """The nearest mount decides, and only a network file system is named."""
    assert remote_file_system(Path(path), MOUNTS) == kind


def test_a_network_drive_is_refused(engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's locks do not hold there."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/export {tmp_path} cifs rw 0 0\n")
    monkeypatch.setattr("backfill.dialects.inspections.sqlite._MOUNTS", mounts)
    execute(engine, USERS, ROWS)
    assert "the file is on a network drive (cifs)" in find(engine, fill_name, "network-file").message


def test_a_ledger_that_is_no_table(engine: sa.Engine) -> None:
    """Something under the ledger's name that cannot hold a checkpoint."""
    execute(engine, USERS, ROWS)
    fill(engine, fill_name)
    execute(engine, "CREATE TEMPORARY TABLE backfill_run AS SELECT * FROM backfill_run", "UPDATE users SET name = NULL")
    assert "the ledger cannot be trusted: backfill_run is a temporary" in (
        find(engine, fill_name, "ledger-temporary-table").message
    )


def test_several_findings_are_told_at_once(engine: sa.Engine) -> None:
    """Nobody mends one thing only to hear of the next."""
    execute(engine, "CREATE TABLE users (id REAL PRIMARY KEY, name TEXT NOT NULL)")
    transform = from_document("fill_name", '{"table": "users", "set": {"name": null, "nmae": 1}}')
    told = str(refuse(engine, transform))
    assert told.startswith("fill_name cannot run, and nothing was written:\n  [")
    assert all(f"[{code}]" in told for code in ("key-type", "writes-null", "writes-unknown"))


class Person(BaseModel):
    """A row."""

    name: str | None


def test_a_database_that_nobody_knows() -> None:
    """A dialect without a file in `dialects/` is named, with those that have one."""
    engine = sa.create_mock_engine("mssql+pyodbc://", print)
    connection: Any = engine
    with pytest.raises(Refused, match="backfill does not know mssql; it runs on SQLite, PostgreSQL, MariaDB and MySQL"):
        Database(connection)


def test_nothing_is_read_before_the_refusal(engine: sa.Engine) -> None:
    """A row's values are not looked at where the table does not fit."""
    seen: list[str | None] = []

    @backfill.transform("users")
    def look(user: Person) -> Person:
        """Keep what is seen."""
        seen.append(user.name)
        return user

    execute(engine, "CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT)", "INSERT INTO users VALUES (NULL, 'Ada')")
    refuse(engine, look)
    assert seen == []
    assert "backfill_run" not in contents(engine)


def test_rowid_of_a_table_without_rowid(engine: sa.Engine) -> None:
    """A table WITHOUT ROWID is walked like any other; only the estimate is missing."""

    @backfill.transform("users")
    def shout(users: Rows) -> dict[str, Any]:
        """In capitals."""
        return {"name": sa.func.upper(users.c.name)}

    execute(
        engine,
        "CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT) WITHOUT ROWID",
        "INSERT INTO users VALUES ('b', 'Ada')",
    )
    assert fill(engine, shout).rows_estimated is None
    assert rows_of(engine, "SELECT name FROM users") == [("ADA",)]


def test_an_estimate_reads_only_the_ends_of_a_table(engine: sa.Engine) -> None:
    """A run begins with it, however large the table is."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) SELECT i, NULL FROM n"
    execute(engine, USERS, f"INSERT INTO users {numbers}")
    users = sa.Table("users", sa.MetaData(), autoload_with=engine)
    steps: list[str] = []
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: steps.append("a thousand"), 1_000)
        assert SQLite().estimate(connection, users) == 200_000
        driver.set_progress_handler(None, 0)
    assert len(steps) < 100


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("WHERE i <= 0", 0),
        ("WHERE i <= 10000", 10_000),
        ("WHERE i % 5 = 0", 40_000),
        ("WHERE i <= 5000 OR i > 195000", 10_000),
        ("WHERE i <= 50000 OR i % 10 = 0", pytest.approx(65_000, rel=1)),
    ],
)
def test_gaps_are_estimated_by_those_at_the_ends(engine: sa.Engine, keys: str, expected: Any) -> None:
    """Row ids with gaps between them are as many as there are rows, not as many as there are numbers."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
    execute(engine, USERS, f"INSERT INTO users {numbers} SELECT i, NULL FROM n {keys}")
    users = sa.Table("users", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        assert SQLite().estimate(connection, users) == expected


@pytest.mark.parametrize(
    ("row_id", "least", "most"), [("random()", 15_000, 30_000), ("iif(i < 10002, i, 1 << 62) + i", 20_000, 2 * 10**13)]
)
def test_row_ids_far_apart_are_estimated(engine: sa.Engine, row_id: str, least: int, most: int) -> None:
    """They span more than an integer of SQLite's holds, or than there can be rows."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20002)"
    execute(engine, USERS, f"INSERT OR IGNORE INTO users {numbers} SELECT {row_id}, NULL FROM n")
    users = sa.Table("users", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        estimate = SQLite().estimate(connection, users)
    assert estimate is not None
    assert least <= estimate <= most


def test_a_column_called_rowid_is_no_row_id(engine: sa.Engine) -> None:
    """It hides the row id, which has other names."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i, 'x' FROM n"
    execute(engine, "CREATE TABLE users (id INTEGER PRIMARY KEY, RowId TEXT)", f"INSERT INTO users {numbers}")
    users = sa.Table("users", sa.MetaData(), autoload_with=engine)
    with engine.connect() as connection:
        assert SQLite().estimate(connection, users) == 500


def test_other_writers_get_a_tenth_of_the_time() -> None:
    """After short batches too, which would otherwise rest longer than they work."""
    assert [SQLite().rest(seconds) for seconds in (0.001, 0.1)] == pytest.approx([0.0001, 0.01])
