"""Tables as they are in real databases: generated columns, other schemas, keys that are no primary keys."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import column, func, select, table

import backfill
from backfill import Change, Delete, Insert, Rows, Update, is_missing
from backfill.errors import ChecksFailed
from tests.refusal import execute, fill, find, rows_of

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])


class Item(BaseModel):
    """Read, written and inserted."""

    code: str
    n: int | None


class Doubled(BaseModel):
    """Written where the database computes."""

    twice: int


class Number(BaseModel):
    """Written."""

    n: int


class Id(BaseModel):
    """Read."""

    id: int


class Author(BaseModel):
    """Inserted."""

    name: str


class Authored(BaseModel):
    """Written."""

    author_id: Insert[Author]


class Coded(BaseModel):
    """Written, from a row whose key is a text."""

    code: Insert[Item]


@pytest.fixture
def items(engine: sa.Engine) -> sa.Engine:
    """Give a database with a table that has a unique key and a computed column, and a table that points to it."""
    execute(
        engine,
        "CREATE TABLE items (n INTEGER, code VARCHAR(9) NOT NULL, twice INTEGER GENERATED ALWAYS AS (n * 2) "
        f"{'STORED' if engine.dialect.name == 'postgresql' else 'VIRTUAL'}, UNIQUE (code))",
        "INSERT INTO items (code, n) VALUES ('a', 1), ('b', NULL), ('c', 3)",
        "CREATE TABLE uses (id INTEGER PRIMARY KEY, code VARCHAR(9))",
        "INSERT INTO uses VALUES (1, NULL), (2, NULL)",
    )
    return engine


ITEMS = "SELECT code, n, twice FROM items ORDER BY code"


@EACH_SIZE
def test_a_unique_key_is_walked_by(items: sa.Engine, rows: int) -> None:
    """It is as good as a primary key: to walk, to update, to delete; what is computed follows, and may be read."""

    class Computed(Item):
        """Read."""

        twice: int | None

    @backfill.transform("items")
    def count(item: Computed) -> Number | Delete:
        """What is missing goes."""
        return Delete() if item.twice is None else Number(n=item.twice)

    fill(items, count, rows=rows)
    assert rows_of(items, ITEMS) == [("a", 2, 4), ("c", 6, 12)]


@EACH_SIZE
def test_a_unique_key_in_groups_and_columns(items: sa.Engine, rows: int) -> None:
    """In the other forms too."""

    @backfill.transform("items", group_by=())
    def fill_in(items: list[Item]) -> list[Number | None]:
        """NULL becomes a number."""
        return [Number(n=9) if item.n is None else None for item in items]

    @backfill.transform("items")
    def add(items: Rows) -> dict[str, Any]:
        """One more."""
        return {"n": items.c.n + 1}

    fill(items, fill_in, rows=rows)
    fill(items, add, rows=rows)
    assert rows_of(items, ITEMS) == [("a", 2, 4), ("b", 10, 20), ("c", 4, 8)]


def test_a_link_to_a_unique_key(items: sa.Engine) -> None:
    """The key that is given is the one that is linked to."""

    @backfill.transform("uses", where=is_missing("code"))
    def use(row: Id) -> Coded:
        """The first is there already."""
        return Coded(code=Insert("items", Item(code=["a", "new"][row.id - 1], n=5), match="code"))

    fill(items, use)
    assert rows_of(items, "SELECT code FROM uses ORDER BY id") == [("a",), ("new",)]
    assert rows_of(items, ITEMS) == [("a", 1, 2), ("b", None, None), ("c", 3, 6), ("new", 5, 10)]


COMPUTED: dict[str, tuple[Any, str]] = {
    "updated": (Update("items", Doubled(twice=1), code="a"), 'Update("items")'),
    "inserted": (Insert("items", {"code": "d", "twice": 1}), 'Insert("items")'),
}


@pytest.mark.parametrize(("change", "what"), COMPUTED.values(), ids=COMPUTED.keys())
def test_a_computed_column_is_not_written(items: sa.Engine, change: Any, what: str) -> None:
    """Refused, whatever the change."""

    @backfill.seed()
    def mistake() -> list[Change]:
        """The database does that."""
        return [change]

    with pytest.raises(ChecksFailed) as refusal:
        fill(items, mistake)
    told = [finding.message for finding in refusal.value.findings]
    assert told == [f"{what}: the database computes items.twice; leave it out"]


def test_a_unique_key_that_is_said_beside_its_column(engine: sa.Engine) -> None:
    """It is the same key."""
    execute(engine, "CREATE TABLE items (n INTEGER, code VARCHAR(9) NOT NULL UNIQUE)")
    execute(engine, "INSERT INTO items VALUES (1, 'a'), (NULL, 'b')")

    @backfill.transform("items", where=is_missing("n"))
    def fill_in(item: Item) -> Number:
        """NULL becomes a number."""
        return Number(n=9)

    fill(engine, fill_in)
    assert rows_of(engine, "SELECT n, code FROM items ORDER BY code") == [(1, "a"), (9, "b")]


def test_a_table_without_any_key(engine: sa.Engine) -> None:
    """It cannot be walked, but it can be written to."""
    execute(engine, "CREATE TABLE log (entry VARCHAR(9))", "CREATE TABLE ids (id INTEGER PRIMARY KEY)")
    execute(engine, "INSERT INTO ids VALUES (1), (2)")

    @backfill.transform("log")
    def walk(log: Rows) -> Delete:
        """There is no order."""
        return Delete()

    @backfill.transform("ids")
    def note(row: Id) -> Insert:
        """Once each, by what is there."""
        return Insert("log", {"entry": str(row.id)}, match="entry")

    assert find(engine, walk, "no-key").message == (
        "log has neither a primary key nor a unique constraint over NOT NULL columns, so there is no order in which "
        "no row is lost: ALTER TABLE log ADD PRIMARY KEY (...)"
    )
    for _ in range(2):
        fill(engine, note)
    assert sorted(rows_of(engine, "SELECT entry FROM log")) == [("1",), ("2",)]


@pytest.fixture
def apps(postgresql_url: sa.URL) -> sa.Engine:
    """Give a database with tables of the same names in two schemas."""
    engine = sa.create_engine(postgresql_url, poolclass=sa.NullPool)
    for schema in ("public", "app"):
        execute(
            engine,
            f"CREATE SCHEMA IF NOT EXISTS {schema}",
            f"CREATE TABLE {schema}.users (id int PRIMARY KEY, name text NOT NULL, author_id int, n int)",
            f"CREATE TABLE {schema}.authors (id serial PRIMARY KEY, name text NOT NULL UNIQUE)",
            f"INSERT INTO {schema}.users (id, name) VALUES (1, '{schema}'), (2, 'b')",
        )
    return engine


class User(BaseModel):
    """Read."""

    id: int
    name: str


@EACH_SIZE
def test_changes_in_another_schema(apps: sa.Engine, rows: int) -> None:
    """Every word of the API says `schema.table`; the tables of the same name stay as they are."""

    @backfill.transform("app.users", where=is_missing("author_id"))
    def link(user: User) -> list[Authored | Update | Insert]:
        """A link, an update and an insert."""
        author = Insert("app.authors", Author(name=user.name), match="name")
        late = {"id": user.id + 10, "name": "late", "author_id": 0}
        return [Authored(author_id=author), Update("app.users", {"n": user.id}, id=user.id), Insert("app.users", late)]

    fill(apps, link, rows=rows)
    found = "SELECT u.id, u.n, a.name FROM app.users u LEFT JOIN app.authors a ON a.id = u.author_id ORDER BY u.id"
    assert rows_of(apps, found) == [(1, 1, "app"), (2, 2, "b"), (11, None, None), (12, None, None)]
    assert rows_of(apps, "SELECT id, n, author_id FROM users ORDER BY id") == [(1, None, None), (2, None, None)]
    assert rows_of(apps, "SELECT count(*) FROM authors") == [(0,)]


@EACH_SIZE
def test_columns_and_look_ups_in_another_schema(apps: sa.Engine, rows: int) -> None:
    """Light tables name it by `schema=`; here one schema is filled from the other."""
    theirs = table("users", column("id"), column("name"), schema="public")
    ours = table("users", column("id"), column("name"), schema="app")

    class Both(BaseModel):
        """Read, and looked up."""

        id: int
        other: str | None

    @backfill.transform(
        "app.users", lookups={"other": select(theirs.c.name).where(theirs.c.id == ours.c.id)}, where=column("id") == 1
    )
    def name_author(user: Both) -> Insert[Author]:
        """By the other's name."""
        return Insert("app.authors", Author(name=user.other or "none"))

    @backfill.transform("app.users", where=select(1).where(theirs.c.name == ours.c.name).exists())
    def take(users: Rows) -> list[dict[str, Any] | Insert]:
        """Those of whom the other schema knows the name."""
        same = select(func.count()).where(theirs.c.name == users.c.name).scalar_subquery()
        return [{"n": same}, Insert("authors", select(users.c.name), match="name")]

    fill(apps, name_author, rows=rows)
    fill(apps, take, rows=rows)
    assert rows_of(apps, "SELECT name FROM app.authors") == [("public",)]
    assert rows_of(apps, "SELECT name FROM authors") == [("b",)]
    assert rows_of(apps, "SELECT id, n FROM app.users ORDER BY id") == [(1, None), (2, 1)]
