"""Recordsets: however rows travel to PostgreSQL, a value of each type arrives as it does one row at a time."""

import enum
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Field, JsonValue, create_model
from sqlalchemy.dialects.postgresql import JSONB

import backfill
from backfill import schema
from backfill.dialects import postgresql as dialect
from backfill.dialects.recordsets import postgresql as recordsets
from backfill.errors import RowRejected
from tests.refusal import execute, fill

NAME = "A \"value\", 50% 'off'"
"""Of the column; all that could go wrong with a name."""


class Level(enum.Enum):
    """Written by its value."""

    HIGH = "high"


class Key(BaseModel):
    """Read."""

    id: int


ONE_UUID = UUID("00112233-4455-6677-8899-aabbccddeeff")
NOON = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
TEXT = "tab\t, line\n, back\\slash, \\N, \"quoted\", 'single', ü, 😀, {braces}, 100%"

TYPES: dict[str, tuple[str, Any, Any, str]] = {
    "text": ("text", str, TEXT, "copy"),
    "empty text": ("text", str, "", "copy"),
    "null": ("text", str | None, None, "copy"),
    "varchar": ("varchar(5)", str, "five5", "copy"),
    "char": ("char(3)", str, "ab", "copy"),
    "enum": ("level", Level, Level.HIGH, "json"),
    "enum by text": ("level", str, "high", "copy"),
    "domain": ("short", str, "abc", "copy"),
    "smallint": ("smallint", int, -32768, "copy"),
    "bigint": ("bigint", int, 2**63 - 1, "copy"),
    "numeric": ("numeric(30, 10)", Decimal, Decimal("-12345678901234567890.0123456789"), "copy"),
    "real": ("real", float, 0.1, "copy"),
    "double": ("double precision", float, 1e-300, "copy"),
    "infinite": ("double precision", float, float("inf"), "row by row"),
    "no number": ("double precision", float, float("nan"), "row by row"),
    "boolean": ("boolean", bool, True, "copy"),
    "date": ("date", date, date(1, 1, 1), "copy"),
    "time": ("time", time, time(23, 59, 59, 999999), "copy"),
    "timestamp": ("timestamp", datetime, NOON, "copy"),
    "timestamptz": ("timestamptz", datetime, NOON, "copy"),
    "interval": ("interval", timedelta, timedelta(days=-3, microseconds=1), "copy"),
    "uuid": ("uuid", UUID, ONE_UUID, "copy"),
    "uuid as text": ("text", UUID, ONE_UUID, "json"),
    "inet": ("inet", str, "10.0.0.1", "copy"),
    "bits": ("bit(3)", str, "101", "copy"),
    "json": ("json", list[JsonValue], [None, 1, 'x\n"y\\'], "copy"),
    "jsonb": ("jsonb", dict[str, JsonValue], {"ü": {"b": [1.5, None]}}, "copy"),
    "no json": ("jsonb", dict[str, JsonValue] | None, None, "copy"),
    "int[]": ("int[]", list[int | None], [1, None, -3], "copy"),
    "text[]": ("text[]", list[str | None], ["a,b", "NULL", None, '"q"', "\\", "", " x ", TEXT], "copy"),
    "numeric[][]": ("numeric[]", list[list[Decimal]], [[Decimal("1.10"), Decimal(2)]], "copy"),
    "uuid[]": ("uuid[]", list[UUID], [ONE_UUID], "copy"),
    "boolean[]": ("boolean[]", list[bool], [True, False], "copy"),
    "float8[]": ("float8[]", list[float], [0.1, 1e300, float("inf")], "copy"),
    "empty[]": ("date[]", list[date], [], "copy"),
    "bytea": ("bytea", bytes, b"\x00\xff'\\", "row by row"),
}


@pytest.fixture(scope="module")
def server_engine(postgresql_server: Any) -> Iterator[sa.Engine]:
    """Give a database with a schema and types of its own."""
    url = postgresql_server.create_database()
    engine = sa.create_engine(url)
    execute(
        engine,
        'CREATE SCHEMA "Off 50"',
        "CREATE TYPE level AS ENUM ('low', 'high')",
        "CREATE DOMAIN short AS varchar(3) CHECK (VALUE <> 'no')",
    )
    yield engine
    engine.dispose()
    postgresql_server.drop_database(url)


class Ways:
    """Writes values, and notes in which way they went."""

    def __init__(self, engine: sa.Engine, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.taken: list[str] = []
        self._engine = engine
        for name, way in (("_copy", "copy"), ("_recordset", "json")):
            patch.setattr(recordsets, name, self._noting(getattr(recordsets, name), way))

    def written(self, fewest: int, kind: str, hint: Any, value: Any) -> list[str | None]:
        """Write the value to three rows of a fresh table; gives what the server makes of it."""
        self.patch.setattr(recordsets, "FEWEST_TO_COPY", fewest)
        self._make_table(kind)
        model = create_model("One", value=(hint, Field(alias=NAME)))

        def write(row: Key) -> Any:
            """The same for each row."""
            return model(**{NAME: value})

        write.__annotations__["return"] = model
        declare: Any = backfill.transform("Off 50.Parcels")
        fill(self._engine, declare(write), rows=3)
        parcels = sa.table("Parcels", sa.column("id"), sa.column(NAME), schema="Off 50")
        with self._engine.connect() as connection:
            now = sa.cast(parcels.c[NAME], JSONB) if kind == "json" else parcels.c[NAME]  # it keeps its spaces
            return list(connection.scalars(sa.select(sa.cast(now, sa.Text)).order_by(parcels.c.id)))

    def _make_table(self, kind: str) -> None:
        with self._engine.begin() as connection:
            schema.drop(connection)
        spelt = self._engine.dialect.identifier_preparer.quote(NAME)
        execute(
            self._engine,
            'DROP TABLE IF EXISTS "Off 50"."Parcels"',
            f'CREATE TABLE "Off 50"."Parcels" (id int PRIMARY KEY, other text NOT NULL, {spelt} {kind})',
            "INSERT INTO \"Off 50\".\"Parcels\" (id, other) VALUES (1, 'x'), (2, 'y'), (3, 'z')",
        )

    def _noting(self, function: Any, way: str) -> Any:
        def noted(*arguments: Any) -> Any:
            self.taken.append(way)
            return function(*arguments)

        return noted


@pytest.fixture
def ways(server_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Give a fresh look at the ways."""
    return Ways(server_engine, monkeypatch)


@pytest.mark.parametrize(("kind", "hint", "value", "way"), TYPES.values(), ids=TYPES)
def test_a_type_arrives_the_same_in_every_way(ways: Ways, kind: str, hint: Any, value: Any, way: str) -> None:
    """By COPY, as JSON, and one row at a time, which is the exact path."""
    copied = ways.written(1, kind, hint, value)
    assert ways.taken == ([way] if way != "row by row" else [])
    assert ways.written(10**6, kind, hint, value) == copied
    ways.patch.setattr(dialect, "travels", lambda *_: False)
    assert ways.written(1, kind, hint, value) == copied
    assert len(copied) == 3


@pytest.mark.parametrize("fewest", [1, 10**6], ids=["copied", "as JSON"])
def test_what_does_not_fit_is_refused_and_never_cut(ways: Ways, fewest: int) -> None:
    """A cast to varchar(5) would cut a text in silence; the row is named instead."""
    with pytest.raises(RowRejected, match=r"row 1: .* is written for it \(22001, too long for its column\)"):
        ways.written(fewest, "varchar(5)", str, "sixsix")
    with pytest.raises(RowRejected, match=r"row 1: .*\(23514, constraint short_check\)"):
        ways.written(fewest, "short", str, "no")
