"""Columns and tables as they are in real databases: their names, schemas, keys, and types that one database has."""

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Field, JsonValue
from sqlalchemy import column, func, select, table

import backfill
from backfill import Change, Delete, Insert, Rows, Update, is_missing
from tests.refusal import execute, fill, rows_of

EACH_SIZE = pytest.mark.parametrize("rows", [1, 2, 9])


class Everything(BaseModel):
    """Columns of every kind, inserted into another table."""

    id: uuid.UUID
    price: Decimal
    day: date
    moment: datetime
    data: bytes
    truth: bool
    document: dict[str, JsonValue] | None
    label: Literal["low", "high"]


class Number(BaseModel):
    """Read."""

    id: int


DAY = date(2024, 2, 29)
NOON = datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
EVERYTHING = sa.Table(
    "everything",
    sa.MetaData(),
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("price", sa.Numeric(12, 4)),
    sa.Column("day", sa.Date),
    sa.Column("moment", sa.DateTime),
    sa.Column("data", sa.LargeBinary),
    sa.Column("truth", sa.Boolean),
    sa.Column("document", sa.JSON(none_as_null=True)),
    sa.Column("label", sa.Enum("low", "high", name="label")),
)


@pytest.fixture
def numbers(engine: sa.Engine) -> sa.Engine:
    """Give a database with three numbers, and an empty table with columns of every kind."""
    execute(engine, "CREATE TABLE numbers (id INTEGER PRIMARY KEY)", "INSERT INTO numbers VALUES (1), (2), (3)")
    EVERYTHING.metadata.create_all(engine)
    return engine


def everything(number: int) -> Everything:
    """Give values that are easily lost; every second document is none."""
    return Everything(
        id=uuid.UUID(int=number),
        price=Decimal("-12345678.9012"),
        day=DAY,
        moment=NOON,
        data=b"\x00\xff'\\",
        truth=bool(number % 2),
        document={"a": [None, {"ü": 1.5}]} if number % 2 else None,
        label="high",
    )


def assert_everything(engine: sa.Engine) -> None:
    """See that the three rows came as they were given."""
    moment = NOON.astimezone(UTC).replace(tzinfo=None)
    with engine.connect() as connection:
        found = connection.execute(select(EVERYTHING).order_by(EVERYTHING.c.id)).all()
    assert [tuple(row) for row in found] == [
        tuple((everything(n).model_dump() | {"moment": moment}).values()) for n in (1, 2, 3)
    ]
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).where(EVERYTHING.c.document.is_(None))) == 1


@EACH_SIZE
@pytest.mark.parametrize("match", [(), "id", ("id", "price", "day", "truth")], ids=["plain", "by key", "by many"])
def test_values_of_every_kind_are_inserted(numbers: sa.Engine, match: Any, rows: int) -> None:
    """As they are, with and without match; a moment with a zone as UTC, None in a document as SQL NULL."""

    @backfill.transform("numbers")
    def insert(number: Number) -> Insert[Everything]:
        """One each."""
        return Insert("everything", everything(number.id), match=match)

    fill(numbers, insert, rows=rows)
    assert_everything(numbers)


def test_values_of_every_kind_are_updated(numbers: sa.Engine) -> None:
    """By another column than the key, in the same way."""

    @backfill.seed()
    def first() -> list[Change]:
        """Keys alone."""
        return [Insert("everything", {"id": uuid.UUID(int=n), "truth": n == 1}) for n in (1, 2, 3)]

    @backfill.transform("numbers")
    def update(number: Number) -> Update:
        """All but the key."""
        given = everything(number.id).model_dump(exclude={"id"})
        return Update("everything", given, id=uuid.UUID(int=number.id))

    fill(numbers, first)
    fill(numbers, update)
    assert_everything(numbers)


KINDS: dict[str, Any] = {
    "price": Decimal("-12345678.9012"), "day": DAY, "moment": NOON, "data": b"\x00\xff'\\",
    "label": "high", "id": uuid.UUID(int=1),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_values_of_every_kind_are_matched(numbers: sa.Engine, name: str) -> None:
    """A Delete finds the rows that hold just that value; None finds none of them."""

    @backfill.transform("numbers")
    def insert(number: Number) -> Insert[Everything]:
        """One each."""
        return Insert("everything", everything(number.id))

    @backfill.seed()
    def keep() -> list[Change]:
        """Nothing is NULL."""
        return [Delete("everything", **{name: None})]

    @backfill.seed()
    def drop() -> list[Change]:
        """By the value."""
        return [Delete("everything", **{name: KINDS[name]})]

    fill(numbers, insert)
    fill(numbers, keep)
    assert_everything(numbers)
    fill(numbers, drop)
    assert rows_of(numbers, "SELECT count(*) FROM everything") == [(2 if name == "id" else 0,)]


@pytest.mark.parametrize("kind", ["json", "jsonb"])
def test_json_null_and_sql_null(postgresql_url: sa.URL, kind: str) -> None:
    """Missing is both; None is written as SQL NULL, and JSON null inside a document stays what it is."""
    engine = sa.create_engine(postgresql_url, poolclass=sa.NullPool)
    execute(
        engine,
        f"CREATE TABLE users (id int PRIMARY KEY, skills {kind}, kept {kind})",
        """INSERT INTO users VALUES (1, NULL, '{"a": null}'), (2, 'null', 'null'), (3, '[]', NULL), (4, '""', '0'),
           (5, ' null ', '1')""",
    )

    class Document(BaseModel):
        """Read and written."""

        kept: JsonValue
        skills: JsonValue = None

    @backfill.transform("users", where=is_missing("skills"))
    def keep(user: Document) -> Document:
        """The first two and the last have no skills."""
        return Document(skills={"was": user.kept}, kept=user.kept)

    fill(engine, keep)
    assert rows_of(engine, "SELECT id, skills::jsonb::text, kept::jsonb::text FROM users ORDER BY id") == [
        (1, '{"was": {"a": null}}', '{"a": null}'),
        (2, '{"was": null}', None),
        (3, "[]", None),
        (4, '""', "0"),
        (5, '{"was": 1}', "1"),
    ]


def test_arrays_and_zones_on_postgresql(postgresql_url: sa.URL) -> None:
    """Inserted, matched and updated in another table; a moment with a zone keeps its instant."""
    engine = sa.create_engine(postgresql_url, poolclass=sa.NullPool)
    execute(
        engine,
        "CREATE TABLE numbers (id int PRIMARY KEY)",
        "INSERT INTO numbers VALUES (1), (2)",
        "CREATE TYPE level AS ENUM ('low', 'high')",
        "CREATE TABLE odd (id serial PRIMARY KEY, tags text[] NOT NULL, at timestamptz, levels level[], l level)",
    )

    class Odd(BaseModel):
        """Inserted."""

        tags: list[str]
        at: datetime
        levels: list[Literal["low", "high"]]
        l: Literal["low", "high"]  # noqa: E741  # a short name

    @backfill.transform("numbers")
    def insert(number: Number) -> list[Change]:
        """The same row twice, matched by its array, its moment and its label."""
        odd = Odd(tags=["a,b", '"', "{}"], at=NOON, levels=["low", "high"], l="low")
        return [
            Insert("odd", odd, match=("tags", "at", "l")),
            Update("odd", {"l": "high", "tags": ["x"]}, tags=["a,b", '"', "{}"], at=NOON),
        ]

    fill(engine, insert)
    found = rows_of(engine, "SELECT tags, at, levels::text[], l::text FROM odd")
    assert found == [(["x"], NOON, ["low", "high"], "high")]


def test_an_upsert_by_an_array(postgresql_url: sa.URL) -> None:
    """A list is a value like another; of two for one row the last counts."""
    engine = sa.create_engine(postgresql_url, poolclass=sa.NullPool)
    execute(engine, "CREATE TABLE odd (id serial PRIMARY KEY, tags text[] NOT NULL, n int)")
    execute(engine, "INSERT INTO odd (tags, n) VALUES ('{a}', 1)")

    @backfill.seed()
    def refresh() -> list[Change]:
        """The one that is there, twice."""
        return [Insert("odd", {"tags": ["a"], "n": n}, match="tags", update="n") for n in (2, 3)]

    fill(engine, refresh)
    assert rows_of(engine, "SELECT tags, n FROM odd") == [(["a"], 3)]


RESERVED = 'CREATE TABLE "order" (id INTEGER PRIMARY KEY, "select" INTEGER, "Group" VARCHAR(9), "a b" VARCHAR(9))'


class Reserved(BaseModel):
    """Columns with names that SQL or Python keeps for itself; read, written and inserted."""

    id: int
    chosen: int | None = Field(alias="select")
    group: str | None = Field(alias="Group")
    spaced: str | None = Field(alias="a b")


class Grouped(BaseModel):
    """Written."""

    group: str | None = Field(alias="Group")
    spaced: str | None = Field(alias="a b")


@pytest.fixture
def orders(engine: sa.Engine) -> sa.Engine:
    """Give a database with a table of reserved and mixed-case names."""
    quote = "`" if engine.dialect.name == "mysql" else '"'
    execute(engine, *(s.replace('"', quote) for s in (RESERVED, """INSERT INTO "order" VALUES (1, 5, 'B', NULL)""")))
    return engine


def reserved(engine: sa.Engine) -> list[tuple[Any, ...]]:
    """Give the rows of the table called order."""
    named = table("order", *(column(name) for name in ("id", "select", "Group", "a b")))
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(named).order_by(named.c.id))]


def test_reserved_and_mixed_case_names_of_models(orders: sa.Engine) -> None:
    """By aliases; as a walked table, as a target, and in `match`."""

    @backfill.transform("order", where=column("Group") == "B", group_by="Group", order_by=column("select"))
    def spread(rows: list[Reserved]) -> list[list[Change]]:
        """A second row, and another value."""
        given: dict[str, Any] = {"id": 2, "select": 6, "Group": "b", "a b": "new"}
        return [
            [Insert("order", Reserved(**given), match="Group"), Update("order", {"a b": "old"}, select=row.chosen)]
            for row in rows
        ]

    fill(orders, spread)
    second = [] if orders.dialect.name == "mysql" else [(2, 6, "b", "new")]  # its collation takes B for b
    assert reserved(orders) == [(1, 5, "B", "old"), *second]


def test_reserved_and_mixed_case_names_of_columns(orders: sa.Engine) -> None:
    """By name in a dictionary, and by `.c[...]`."""

    @backfill.transform("order")
    def spread(rows: Rows) -> list[dict[str, Any] | Insert]:
        """The same from expressions."""
        values = {"id": rows.c.id + 1, "Group": func.lower(rows.c["Group"]), "select": 7}
        return [{"a b": rows.c["Group"], "select": rows.c["select"] + 1}, Insert("order", values, match="id")]

    fill(orders, spread)
    assert reserved(orders) == [(1, 6, "B", "B"), (2, 7, "b", None)]
