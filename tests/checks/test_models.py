"""Output models against the live table: columns, nullability, types, lengths and the labels of enums."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Field, JsonValue, StringConstraints, create_model

import backfill
from backfill.checks import inspect_sources
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.rows.opening import open_targets
from tests.refusal import execute, find


class Key(BaseModel):
    """Columns read."""

    id: int


class Nested(BaseModel):
    """A document."""

    name: str


class Size(Enum):
    """Labels that the column has, and one that it has not."""

    XS = "xs"
    XXL = "xxl"


class Number(IntEnum):
    """An enum of numbers."""

    ONE = 1


COLUMNS = """
    id INTEGER PRIMARY KEY, full_name VARCHAR(10), email VARCHAR(10) NOT NULL, flag BOOLEAN, n INTEGER, price NUMERIC,
    rate FLOAT, day DATE, moment DATETIME, hour TIME, data BLOB, document JSON, code CHAR(3),
    twice INTEGER GENERATED ALWAYS AS (n * 2)
"""


@pytest.fixture
def users(sqlite_url: sa.URL) -> sa.Engine:
    """Give a database with an empty table of users."""
    engine = sa.create_engine(sqlite_url)
    execute(engine, f"CREATE TABLE users ({COLUMNS})")
    return engine


def writing(fields: Mapping[str, Any]) -> Transform[..., Any]:
    """Declare a transform whose output model, Name, has these fields."""
    name = create_model("Name", **dict(fields))

    def split(user: Key) -> BaseModel:
        raise NotImplementedError

    split.__annotations__["return"] = name
    return backfill.transform("users")(split)


DOCUMENT = "is a document and users.full_name is VARCHAR: it needs a JSON column; for text say json.dumps(...)"
REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown": (
        {"fullname": str},
        "writes-unknown",
        "split writes users.fullname; users has no such column. Did you mean full_name?",
    ),
    "unknown by its alias": (
        {"full_name": (str, Field(alias="name"))},
        "writes-unknown",
        "split writes users.name; users has no such column.",
    ),
    "the key": (
        {"id": int},
        "writes-key",
        "split writes users.id, by which it walks: a row could be met again under its new key",
    ),
    "a generated column": (
        {"twice": int},
        "writes-generated",
        "split writes users.twice, which the database computes: leave it out of the output model",
    ),
    "None for NOT NULL": (
        {"email": str | None},
        "writes-null",
        "split writes users.email, which is NOT NULL, and None may be written to it: give the field a type without "
        "None, or let the function return None for the whole row, which leaves it",
    ),
    "anything for NOT NULL": ({"email": Any}, "writes-null", "which is NOT NULL, and None may be written to it"),
    "too long": (
        {"full_name": (str, Field(max_length=11))},
        "writes-length",
        "Name.full_name allows 11 characters; users.full_name holds 10",
    ),
    "too long by its type": (
        {"full_name": Annotated[str, StringConstraints(max_length=20)]},
        "writes-length",
        "Name.full_name allows 20 characters; users.full_name holds 10",
    ),
    "too long a choice": (
        {"code": Literal["abc", "abcd"]},
        "writes-length",
        "Name.code allows 4 characters; users.code holds 3",
    ),
    "too long an enum": (
        {"code": Literal["ab"] | Annotated[Literal["abcde"], "x"]},
        "writes-length",
        "allows 5 characters",
    ),
    "a list into text": (
        {"full_name": list[str]},
        "writes-type",
        "Name.full_name is a list and users.full_name is VARCHAR: it needs a JSON or array column; "
        "for text say json.dumps(...)",
    ),
    "a set into text": ({"full_name": set[str]}, "writes-type", "Name.full_name is a list"),
    "a tuple into text": ({"full_name": tuple[str, int]}, "writes-type", "Name.full_name is a list"),
    "a mapping into text": (
        {"full_name": dict[str, int]},
        "writes-type",
        DOCUMENT,
    ),
    "a model into text": (
        {"full_name": Nested},
        "writes-type",
        DOCUMENT,
    ),
    "a model or None into text": ({"full_name": Nested | None}, "writes-type", "is a document"),
    "a number into text": (
        {"full_name": int},
        "writes-type",
        "users.full_name is VARCHAR: change the model",
    ),
    "a decimal into text": ({"full_name": Decimal}, "writes-type", "is a fraction and users.full_name is VARCHAR"),
    "one of two into text": ({"full_name": str | int}, "writes-type", "is a number and users.full_name is VARCHAR"),
    "a numbered enum into text": ({"full_name": Number}, "writes-type", "is a number"),
    "numbers as choices into text": ({"full_name": Literal["a", 1]}, "writes-type", "is a number"),
    "truth into text": ({"full_name": bool}, "writes-type", "is a boolean"),
    "bytes into text": ({"full_name": bytes}, "writes-type", "is a bytes"),
    "a day into text": ({"full_name": date}, "writes-type", "is a date"),
    "text into a number": ({"n": str}, "writes-type", "Name.n is a text and users.n is INTEGER: change the model"),
    "a list into a number": ({"n": list[int]}, "writes-type", "Name.n is a list and users.n is INTEGER"),
    "a float into a number": ({"n": float}, "writes-type", "it would be rounded; round it in the function"),
    "a decimal into a number": ({"n": Decimal | None}, "writes-type", "it would be rounded"),
    "text into a decimal": ({"price": str}, "writes-type", "Name.price is a text and users.price is NUMERIC"),
    "text into a float": ({"rate": str}, "writes-type", "Name.rate is a text and users.rate is FLOAT"),
    "text into truth": ({"flag": str}, "writes-type", "Name.flag is a text and users.flag is BOOLEAN"),
    "a number into truth": ({"flag": int}, "writes-type", "Name.flag is a number and users.flag is BOOLEAN"),
    "text into a day": ({"day": str}, "writes-type", "Name.day is a text and users.day is DATE"),
    "a moment into a day": (
        {"day": datetime},
        "writes-type",
        "its time would be dropped",
    ),
    "a number into a moment": ({"moment": int}, "writes-type", "a number and users.moment is DATETIME"),
    "a span into an hour": ({"hour": timedelta}, "writes-type", "Name.hour is a interval and users.hour is TIME"),
    "text into bytes": ({"data": str}, "writes-type", "Name.data is a text and users.data is BLOB"),
    "bytes into a document": (
        {"document": bytes},
        "writes-type",
        "Name.document is a bytes and users.document is JSON",
    ),
}


@pytest.mark.parametrize(("fields", "code", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_field_that_its_column_cannot_take(users: sa.Engine, fields: dict[str, Any], code: str, told: str) -> None:
    """Before the first batch, with what to change."""
    assert told in find(users, writing({"full_name": str | None} | fields), code).message


ACCEPTED: dict[str, dict[str, Any]] = {
    "text": {"full_name": (str, Field(max_length=10)), "email": str, "code": Literal["abc"]},
    "text without a length": {"full_name": str | None},
    "an enum of text": {"full_name": Size},
    "a uuid as text": {"full_name": UUID},
    "numbers": {"n": int, "price": Decimal, "rate": float | None, "flag": bool},
    "a number for a fraction": {"price": int, "rate": int},
    "truth for a number": {"n": bool},
    "an enum of numbers": {"n": Number},
    "times": {"day": date, "moment": datetime, "hour": time},
    "a day for a moment": {"moment": date},
    "bytes": {"data": bytes | None},
    "a document": {"document": Nested | list[Nested] | None},
    "anything JSON has": {"document": JsonValue},
    "plain values as documents": {"document": str | int | float | bool | date | UUID},
    "anything": {"full_name": Any, "document": Any},
}


@pytest.mark.parametrize("fields", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_field_that_its_column_takes(users: sa.Engine, fields: dict[str, Any]) -> None:
    """Nothing is found."""
    with Database.of(users) as database:
        assert inspect_sources(open_targets(database, writing(fields))) == []


ENUMS: dict[str, tuple[Any, list[str]]] = {
    "an enum": (Size, ["xxl"]),
    "choices": (Literal["xs", "m", "l"] | None, ["m", "l"]),
    "known choices": (Literal["xs", "xl"], []),
    "any text": (str, []),
}


@pytest.mark.parametrize(("kind", "unknown"), ENUMS.values(), ids=ENUMS.keys())
@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_labels_that_the_column_does_not_know(
    request: pytest.FixtureRequest, name: str, kind: Any, unknown: list[str]
) -> None:
    """Each is named, with those that it knows."""
    engine = sa.create_engine(request.getfixturevalue(f"{name}_url"), poolclass=sa.NullPool)
    sa.Table(
        "users",
        metadata := sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("size", sa.Enum("xs", "xl", name="size")),
    )
    metadata.create_all(engine)
    with Database.of(engine) as database:
        found = inspect_sources(open_targets(database, writing({"size": kind})))
    told = [finding.message for finding in found if finding.code == "writes-choice"]
    assert [message.partition(";")[0] for message in told] == [f"users.size does not know {each!r}" for each in unknown]
    assert all("it knows xs, xl" in message for message in told)
