"""PostgreSQL tables and sessions that are refused: each by its own code, with nothing written."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from backfill.declaration.literal import from_document
from tests.refusal import execute, fill, find, rows_of

fill_name = from_document("fill_name", '{"table": "users", "where": {"name": null}, "set": {"name": "x"}}')

USERS = "CREATE TABLE users (id integer PRIMARY KEY, name text)"
ROWS = "INSERT INTO users (id, name) VALUES (1, NULL), (2, 'Ada')"
TEXT_ROWS = "INSERT INTO users (id, name) VALUES ('a', NULL), ('b', 'Ada')"
IGNORING_CASE = "CREATE COLLATION ignoring_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"

BAD_TABLES: dict[str, tuple[str, str, list[str]]] = {
    "no key": ("no-key", "users has neither a primary key", ["CREATE TABLE users (id integer, name text)", ROWS]),
    "nullable unique key": (
        "no-key",
        "nor a unique constraint over NOT NULL columns",
        ["CREATE TABLE users (id integer UNIQUE, name text)", ROWS],
    ),
    "partial unique index": (
        "no-key",
        "there is no order in which no row is lost",
        [
            "CREATE TABLE users (id integer NOT NULL, name text)",
            "CREATE UNIQUE INDEX late ON users (id) WHERE id > 1",
            ROWS,
        ],
    ),
    "unique only together with an expression": (
        "no-key",
        "ALTER TABLE users ADD PRIMARY KEY",
        [
            "CREATE TABLE users (id integer NOT NULL, name text NOT NULL)",
            "CREATE UNIQUE INDEX both_of_them ON users (id, lower(name))",
            "INSERT INTO users VALUES (1, 'a'), (1, 'b'), (2, 'a')",
        ],
    ),
    "json key": ("no-key", "users has neither", ["CREATE TABLE users (id json NOT NULL, name text)"]),
    "invalid unique index": (
        "key-index",
        "no valid unique index holds users (id) unique for all rows: REINDEX TABLE users",
        [
            "CREATE TABLE users (id integer NOT NULL, name text)",
            "CREATE UNIQUE INDEX once ON users (id)",
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'once'::regclass",
            "INSERT INTO users VALUES (1, NULL), (2, 'Ada')",
        ],
    ),
    "jsonb key": (
        "key-type",
        "users.id is the key and is JSONB, which does not come back exactly as it is stored",
        ["CREATE TABLE users (id jsonb PRIMARY KEY, name text)", "INSERT INTO users VALUES ('1', NULL), ('2', 'Ada')"],
    ),
    "REAL key": ("key-type", "is REAL", ["CREATE TABLE users (id real PRIMARY KEY, name text)", ROWS]),
    "DOUBLE key": (
        "key-type",
        "is DOUBLE PRECISION",
        ["CREATE TABLE users (id double precision PRIMARY KEY, name text)", ROWS],
    ),
    "view": (
        "not-a-table",
        "users is a view; name the table that holds the rows",
        ["CREATE TABLE people (id integer PRIMARY KEY, name text)", "CREATE VIEW users AS SELECT * FROM people"],
    ),
    "materialized view": (
        "not-a-table",
        "users is a materialized view",
        ["CREATE MATERIALIZED VIEW users AS SELECT 1 AS id, 'a'::text AS name", "CREATE UNIQUE INDEX u ON users (id)"],
    ),
    "unlogged table": (
        "unlogged-table",
        "users is UNLOGGED: after a crash of the server it is empty while the ledger says it is filled",
        [USERS.replace("TABLE", "UNLOGGED TABLE"), ROWS],
    ),
    "temporary table": (
        "temporary-table",
        "users is a temporary table; it is gone when the connection ends",
        [USERS.replace("TABLE", "TEMPORARY TABLE"), ROWS],
    ),
    "inherited table": (
        "inherited-table",
        "admins inherit from users, and keys are unique in each of them alone",
        [
            USERS,
            "CREATE TABLE admins (rights text) INHERITS (users)",
            ROWS,
            "INSERT INTO admins VALUES (1, NULL, 'all')",
        ],
    ),
    "rule": (
        "rule",
        "rule nothing_happens turns an UPDATE of users into something else: DROP RULE first",
        [USERS, "CREATE RULE nothing_happens AS ON UPDATE TO users DO INSTEAD NOTHING", ROWS],
    ),
    "read-only by default": (
        "read-only",
        "default_transaction_read_only is on for this user or database",
        [USERS, ROWS, "SET default_transaction_read_only = on"],
    ),
    "unlogged ledger": (
        "ledger-unlogged-table",
        "the ledger cannot be trusted: backfill_run is UNLOGGED",
        [USERS, "CREATE UNLOGGED TABLE backfill_run (id integer)"],
    ),
    "partition key written": (
        "writes-partition",
        "europe.name decides in which partition a row is: leave it out of what is written",
        [
            "CREATE TABLE users (id integer, name text) PARTITION BY LIST (name)",
            "CREATE TABLE europe PARTITION OF users FOR VALUES IN ('x', NULL)",
            "ALTER TABLE europe ADD PRIMARY KEY (id)",
            ROWS.replace("'Ada'", "'x'"),
        ],
    ),
    "key of a partitioned table written": (
        "writes-key",
        "fill_name writes users.name, by which it walks",
        [
            "CREATE TABLE users (id integer, name text, PRIMARY KEY (id, name)) PARTITION BY LIST (name)",
            "CREATE TABLE europe PARTITION OF users FOR VALUES IN ('x', 'y')",
            "INSERT INTO users VALUES (1, 'y')",
        ],
    ),
    "generated column": (
        "writes-generated",
        "fill_name writes users.name, which the database computes",
        ["CREATE TABLE users (id integer PRIMARY KEY, name text GENERATED ALWAYS AS ('a' || 'b') STORED)"],
    ),
    "identity column": (
        "writes-identity",
        "fill_name writes users.name, which is GENERATED ALWAYS: only the database writes it",
        ["CREATE TABLE users (id integer PRIMARY KEY, name integer GENERATED ALWAYS AS IDENTITY)"],
    ),
    "an enum that does not know the text": (
        "writes-choice",
        "users.name does not know 'x'; it knows xs, xl. Did you mean xs?",
        ["CREATE TYPE size AS ENUM ('xs', 'xl')", "CREATE TABLE users (id integer PRIMARY KEY, name size)"],
    ),
}


@pytest.fixture
def engine(postgresql_url: sa.URL) -> Iterator[sa.Engine]:
    """Give a database whose one connection all statements share, settings and temporary tables included."""
    engine = sa.create_engine(postgresql_url, poolclass=StaticPool)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(("code", "told", "statements"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_table_that_would_lose_rows(engine: sa.Engine, code: str, told: str, statements: list[str]) -> None:
    """Its code, its message, and not a row changed."""
    execute(engine, *statements)
    table = "europe" if "europe decides" in told or told.startswith("europe.") else "users"
    transform = from_document("fill_name", f'{{"table": "{table}", "where": {{"name": null}}, "set": {{"name": "x"}}}}')
    assert told in find(engine, transform, code).message


@pytest.mark.parametrize("wrapper", ["file_fdw", "postgres_fdw"])
def test_a_foreign_table(engine: sa.Engine, wrapper: str) -> None:
    """Its rows are on another server, where no checkpoint can be beside them."""
    if not rows_of(engine, f"SELECT 1 FROM pg_available_extensions WHERE name = '{wrapper}'"):
        pytest.skip(f"{wrapper} does not come with this server")
    options = {"file_fdw": "filename '/dev/null'", "postgres_fdw": "table_name 'elsewhere'"}[wrapper]
    execute(
        engine,
        f"CREATE EXTENSION {wrapper}",
        f"CREATE SERVER elsewhere FOREIGN DATA WRAPPER {wrapper}",
        f"CREATE FOREIGN TABLE users (id integer, name text) SERVER elsewhere OPTIONS ({options})",
    )
    assert "users is a foreign table" in find(engine, fill_name, "not-a-table").message


@pytest.fixture
def icu(engine: sa.Engine) -> None:
    """Skip where the server knows no ICU collations."""
    if not rows_of(engine, "SELECT 1 FROM pg_collation WHERE collprovider = 'i' LIMIT 1"):
        pytest.skip("this server was built without ICU")


@pytest.mark.usefixtures("icu")
def test_a_key_in_which_different_texts_are_equal(engine: sa.Engine) -> None:
    """A nondeterministic collation."""
    execute(
        engine,
        IGNORING_CASE,
        "CREATE TABLE users (id text COLLATE ignoring_case PRIMARY KEY, name text)",
        TEXT_ROWS,
    )
    finding = find(engine, fill_name, "key-collation")
    assert (
        "users.id is the key under collation ignoring_case, in which different texts count as equal" in finding.message
    )


@pytest.mark.usefixtures("icu")
def test_a_key_under_another_unique_index(engine: sa.Engine) -> None:
    """The narrowest sound key is walked by, whatever other unique columns there are."""
    execute(
        engine,
        IGNORING_CASE,
        "CREATE TABLE users (id text COLLATE ignoring_case UNIQUE NOT NULL, n integer PRIMARY KEY, name text)",
        "INSERT INTO users VALUES ('a', 1, NULL), ('b', 2, 'Ada')",
    )
    fill(engine, fill_name)
    assert rows_of(engine, "SELECT name FROM users ORDER BY n") == [("x",), ("Ada",)]


@pytest.mark.usefixtures("icu")
def test_a_key_whose_collation_has_moved_on(engine: sa.Engine) -> None:
    """An index that was sorted by an older version of the collation."""
    execute(
        engine,
        "CREATE COLLATION english (provider = icu, locale = 'en')",
        "CREATE TABLE users (id text COLLATE english PRIMARY KEY, name text)",
        TEXT_ROWS,
    )
    stale = "UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'english'"
    execute(engine, stale)
    finding = find(engine, fill_name, "key-collation-version")
    assert "users.id is indexed under an older version of collation english" in finding.message
    execute(engine, "ALTER COLLATION english REFRESH VERSION")
    fill(engine, fill_name)


@pytest.mark.usefixtures("icu")
def test_a_database_whose_collation_has_moved_on(engine: sa.Engine) -> None:
    """A key without a collation of its own is sorted by the database's."""
    name = engine.url.database
    execute(engine, f"CREATE DATABASE {name}_icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en'")
    other = sa.create_engine(engine.url.set(database=f"{name}_icu"), poolclass=sa.NullPool)
    try:
        execute(other, "CREATE TABLE users (id text PRIMARY KEY, name text)", TEXT_ROWS)
        fill(other, fill_name)
        execute(other, f"UPDATE pg_database SET datcollversion = '1.0' WHERE datname = '{name}_icu'")
        execute(other, "UPDATE users SET name = NULL")
        assert "older version of collation default" in find(other, fill_name, "key-collation-version").message
    finally:
        execute(engine, f"DROP DATABASE {name}_icu WITH (FORCE)")


def test_a_standby_is_refused(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server in recovery: here a function of that name answers for it."""
    execute(
        engine,
        USERS,
        ROWS,
        "CREATE SCHEMA standby",
        "CREATE FUNCTION standby.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "SET search_path = standby, pg_catalog, public",
    )
    assert find(engine, fill_name, "read-only").message == "the server is a standby in recovery; run on the primary"


@pytest.mark.parametrize("schema", ["public", "app"])
def test_a_qualified_name_is_the_same_table(engine: sa.Engine, schema: str) -> None:
    """Every question is asked of the table in its schema."""
    execute(engine, "CREATE SCHEMA app", f"CREATE UNLOGGED TABLE {schema}.users (id integer PRIMARY KEY, name text)")
    transform = from_document("fill_name", f'{{"table": "{schema}.users", "set": {{"name": "x"}}}}')
    assert "users is UNLOGGED" in find(engine, transform, "unlogged-table").message


def test_a_partition_of_a_partition(engine: sa.Engine) -> None:
    """The columns of every level above count."""
    execute(
        engine,
        "CREATE TABLE world (id integer, part text, name text) PARTITION BY LIST (name)",
        "CREATE TABLE half PARTITION OF world FOR VALUES IN ('x', NULL) PARTITION BY LIST (part)",
        "CREATE TABLE users PARTITION OF half FOR VALUES IN ('a')",
        "ALTER TABLE users ADD PRIMARY KEY (id)",
        "INSERT INTO world VALUES (1, 'a', NULL)",
    )
    assert "users.name decides in which partition a row is" in find(engine, fill_name, "writes-partition").message


def test_a_partitioned_table_is_walked_as_one(engine: sa.Engine) -> None:
    """Its rows lie in several tables, its key is one."""
    execute(
        engine,
        "CREATE TABLE users (id integer PRIMARY KEY, name text) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF users FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE high PARTITION OF users FOR VALUES FROM (10) TO (20)",
        "INSERT INTO users SELECT n, NULL FROM generate_series(5, 15) n",
    )
    fill(engine, fill_name)
    assert rows_of(engine, "SELECT count(*) FROM users WHERE name = 'x'") == [(11,)]
