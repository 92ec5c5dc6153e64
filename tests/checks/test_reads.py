"""Reads: each field of the input model is a column of the table, and takes the NULLs that it may hold."""

from typing import Annotated, Any, Optional

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, BeforeValidator, Field, JsonValue, create_model, field_validator
from sqlalchemy import column, exists, table

import backfill
from backfill import is_missing
from backfill.declaration.decorator import Transform
from tests.refusal import execute, fill, find


class Written(BaseModel):
    """Columns written."""

    note: str


@pytest.fixture
def users(sqlite_url: sa.URL) -> sa.Engine:
    """Give a database with a table of one user."""
    engine = sa.create_engine(sqlite_url)
    execute(
        engine,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, full_name TEXT, email TEXT NOT NULL, note TEXT, class TEXT)",
        "INSERT INTO users VALUES (1, 'Ada', '', NULL, 'a')",
    )
    return engine


def reading(fields: dict[str, Any], where: Any = None) -> Transform[..., Any]:
    """Declare a transform whose input model, User, has these fields."""
    user = create_model("User", **fields)

    def note(user: BaseModel) -> Written:
        return Written(note="x")

    note.__annotations__["user"] = user
    return backfill.transform("users", where=where)(note)


UNKNOWN: dict[str, tuple[dict[str, Any], str]] = {
    "a typo": (
        {"fullname": str | None},
        "note reads users.fullname; users has no such column. Did you mean full_name?",
    ),
    "another case": ({"Email": str}, "note reads users.Email; users has no such column. Did you mean email?"),
    "nothing near": ({"born": str}, "note reads users.born; users has no such column."),
    "a default does not help": ({"born": (str, "")}, "note reads users.born; users has no such column."),
    "an alias": (
        {"email": (str, Field(alias="mail"))},
        "note reads users.mail; users has no such column. Did you mean email?",
    ),
}


@pytest.mark.parametrize(("fields", "told"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_a_field_that_is_no_column(users: sa.Engine, fields: dict[str, Any], told: str) -> None:
    """The near name is suggested."""
    hint = " (a field that is no column needs an entry in lookups=)"
    assert find(users, reading(fields), "reads-unknown").message == told + hint


NOT_NULLABLE: dict[str, Any] = {
    "str": str,
    "annotated": Annotated[str, Field(max_length=9)],
    "with a default": (str, ""),
    "a union": str | int,
}


@pytest.mark.parametrize("kind", NOT_NULLABLE.values(), ids=NOT_NULLABLE.keys())
def test_null_that_the_field_refuses(users: sa.Engine, kind: Any) -> None:
    """It is found before the first row that has it, and both ways on are told."""
    told = find(users, reading({"full_name": kind}), "reads-null").message
    assert told.startswith("users.full_name may be NULL but User.full_name is ")
    assert told.endswith("""| None', or where=column("full_name").is_not(None)""")


NULLABLE: dict[str, Any] = {
    "or None": str | None,
    "Optional": Optional[str],  # noqa: UP045
    "annotated inside": Annotated[str, Field(max_length=9)] | None,
    "annotated outside": Annotated[str | None, Field(max_length=9)],
    "anything": Any,
    "JSON": JsonValue,
    "a validator that comes first": Annotated[str, BeforeValidator(str)],
}


@pytest.mark.parametrize("kind", NULLABLE.values(), ids=NULLABLE.keys())
def test_null_that_the_field_takes(users: sa.Engine, kind: Any) -> None:
    """However it is spelt."""
    fill(users, reading({"full_name": kind}))


PRESENT: dict[str, Any] = {
    "is_not(None)": column("full_name").is_not(None),
    "not missing": ~is_missing("full_name"),
    "equal": column("full_name") == "Ada",
    "and": is_missing("note") & column("full_name").in_(["Ada"]),
}


@pytest.mark.parametrize("where", PRESENT.values(), ids=PRESENT.keys())
def test_null_that_the_condition_keeps_out(users: sa.Engine, where: Any) -> None:
    """What the condition proves need not be said twice."""
    fill(users, reading({"full_name": str}, where))


ABSENT: dict[str, Any] = {
    "or": column("full_name").is_not(None) | (column("id") == 1),
    "another column": column("email").is_not(None),
    "in a subquery": exists().where(
        table("users", column("full_name")).alias("u").c.full_name == table("users", column("full_name")).c.full_name
    ),
}


@pytest.mark.parametrize("where", ABSENT.values(), ids=ABSENT.keys())
def test_null_that_the_condition_lets_through(users: sa.Engine, where: Any) -> None:
    """A part that need not hold proves nothing."""
    find(users, reading({"full_name": str}, where), "reads-null")


def test_null_that_a_validator_takes(users: sa.Engine) -> None:
    """A field's own validator, asked before its type, may make something of it."""

    class User(BaseModel):
        """Columns read."""

        note: str

        @field_validator("note", mode="before")
        @classmethod
        def fill_in(cls, value: str | None) -> str:
            """Nothing is an empty text."""
            return value or ""

    @backfill.transform("users")
    def note(user: User) -> Written:
        """Keep it."""
        return Written(note=user.note)

    fill(users, note)


def test_columns_without_null(users: sa.Engine) -> None:
    """NOT NULL, and the key, need no None."""
    fill(users, reading({"email": str, "id": int}))
