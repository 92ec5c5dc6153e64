"""Signatures: a function whose types do not say how rows arrive and what is written is refused when it is declared."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

import pytest
from pydantic import AliasChoices, BaseModel, Field, RootModel
from sqlalchemy import Connection, FromClause, Table

import backfill
from backfill import Change, Delete, Insert, Rows
from backfill.declaration.answers import Outputs
from backfill.declaration.definition import Arrival
from backfill.declaration.signature import read_signature
from backfill.errors import DeclarationError


class User(BaseModel):
    """Columns read."""

    full_name: str


class Name(BaseModel):
    """Columns written."""

    first_name: str


class Email(BaseModel):
    """Other columns written."""

    email: str | None


class Empty(BaseModel):
    """No column at all."""


class Extra(BaseModel, extra="allow"):
    """Columns that nobody named."""

    first_name: str


class Tags(RootModel[list[str]]):
    """A value without a name."""


class Choosing(BaseModel):
    """A column of two names."""

    first_name: str = Field(validation_alias=AliasChoices("first", "first_name"))


class Twofold(BaseModel):
    """Two fields for one column."""

    first_name: str
    name: str = Field(alias="first_name")


class Counted(BaseModel):
    """What is carried from batch to batch."""

    n: int = 0


class Keyword(BaseModel):
    """A column whose name Python keeps for itself."""

    class_: str = Field(alias="class")


@dataclass
class Plain:
    """No pydantic model."""

    full_name: str


def untyped(user):  # type: ignore[no-untyped-def]  # noqa: D103
    return None


def half_typed(user) -> Name | None:  # type: ignore[no-untyped-def]  # noqa: D103
    return None


def unreturned(user: User):  # type: ignore[no-untyped-def]  # noqa: D103
    return None


def of_nothing() -> Name:  # noqa: D103
    return Name(first_name="")


def of_two(user: User, other: User) -> Name:  # noqa: D103
    return Name(first_name=user.full_name + other.full_name)


def of_star(*users: User) -> Name:  # noqa: D103
    return Name(first_name="")


def of_keyword(*, user: User) -> Name:  # noqa: D103
    return Name(first_name=user.full_name)


def of_texts(users: list[str]) -> list[Name]:  # noqa: D103
    return []


def of_stranger(user: User, stranger: int) -> Name:  # noqa: D103
    return Name(first_name=user.full_name)


def list_to_one(users: list[User]) -> Name:  # noqa: D103
    return Name(first_name="")


def of_text(user: str) -> Name:  # noqa: D103
    return Name(first_name=user)


def of_any(user: Any) -> Name:  # noqa: D103
    return Name(first_name=user.full_name)


def of_dict(user: dict[str, Any]) -> Name:  # noqa: D103
    return Name(first_name=user["full_name"])


def of_dataclass(user: Plain) -> Name:  # noqa: D103
    return Name(first_name=user.full_name)


def of_base_model(user: BaseModel) -> Name:  # noqa: D103
    return Name(first_name="")


def of_optional(user: User | None) -> Name:  # noqa: D103
    return Name(first_name="")


def of_empty(user: Empty) -> Name:  # noqa: D103
    return Name(first_name="")


def of_root(user: Tags) -> Name:  # noqa: D103
    return Name(first_name="")


def of_choosing(user: Choosing) -> Name:  # noqa: D103
    return Name(first_name="")


def of_unknown(user: "Unknown") -> Name:  # type: ignore[name-defined]  # noqa: D103, F821
    return Name(first_name="")


def of_nonsense(user: "not a type") -> Name:  # type: ignore[valid-type]  # noqa: D103, F722
    return Name(first_name="")


def to_nothing(user: User) -> None:  # noqa: D103
    return None


def to_dict(user: User) -> dict[str, Any]:  # noqa: D103
    return {}


def to_text(user: User) -> str:  # noqa: D103
    return ""


def to_model_or_text(user: User) -> Name | str:  # noqa: D103
    return ""


def to_many(user: User) -> list[Name]:  # noqa: D103
    return []


def to_empty(user: User) -> Empty:  # noqa: D103
    return Empty()


def to_extra(user: User) -> Extra:  # noqa: D103
    return Extra(first_name="")


def to_twofold(user: User) -> Twofold:  # noqa: D103
    raise NotImplementedError


def rows_to_optional(users: Rows) -> Name | None:  # noqa: D103
    return None


def rows_to_nothing(users: Rows) -> None:  # noqa: D103
    return None


async def asynchronous(user: User) -> Name:  # noqa: D103
    return Name(first_name="")


def generator(user: User) -> Iterator[Name]:  # noqa: D103
    yield Name(first_name="")


NO_TYPE = "'user' needs a type; it says how rows reach you"
ONE = "takes one parameter, the rows"
NO_WAY = "is no way for rows to arrive"
FROM_ROW = "from one row it returns a model of the columns written, or None to leave the row"
FROM_ROWS = "from Rows it returns a model of constant values, or 'dict[str, Any]'"

REFUSED: dict[Callable[..., Any], str] = {
    untyped: NO_TYPE,
    half_typed: NO_TYPE,
    unreturned: "needs a return type; it says what is written",
    of_nothing: ONE,
    of_two: "other begins as User(), so each of its fields needs a default",
    of_star: ONE,
    of_keyword: ONE,
    of_texts: f"users: str {NO_WAY}",
    of_stranger: "stranger is neither",
    list_to_one: "returns Name for a list of rows: say list[Name], one entry per row",
    of_text: f"user: str {NO_WAY}",
    of_any: f"user: Any {NO_WAY}",
    of_dict: f"user: dict[str, Any] {NO_WAY}",
    of_dataclass: f"user: Plain {NO_WAY}",
    of_base_model: f"user: BaseModel {NO_WAY}",
    of_optional: NO_WAY,
    of_empty: "Empty has no fields, so there is nothing to read",
    of_root: "Tags is a RootModel; its value needs a field",
    of_choosing: "Choosing.first_name has a validation_alias; a column has one name: Field(alias=...)",
    of_unknown: "the type Unknown cannot be found; define it at the top of the module",
    of_nonsense: "a type cannot be understood",
    to_nothing: f"returns NoneType; {FROM_ROW}",
    to_dict: f"returns dict[str, Any]; {FROM_ROW}",
    to_text: f"returns str; {FROM_ROW}",
    to_model_or_text: FROM_ROW,
    to_many: FROM_ROW,
    to_empty: "Empty has no fields, so there is nothing to write",
    to_extra: "Extra allows extra fields; name every column that is written",
    to_twofold: "two fields of Twofold stand for the column first_name",
    rows_to_optional: FROM_ROWS,
    rows_to_nothing: f"returns NoneType; {FROM_ROWS}",
    asynchronous: "is asynchronous or a generator; it has to be a plain function",
    generator: "is asynchronous or a generator",
}


@pytest.mark.parametrize(("function", "told"), REFUSED.items(), ids=[function.__name__ for function in REFUSED])
def test_a_signature_that_says_too_little_is_refused(function: Callable[..., Any], told: str) -> None:
    """When it is declared, with the function's name and what to write instead; exit code 2."""
    with pytest.raises(DeclarationError) as refusal:
        backfill.transform("users")(function)
    assert str(refusal.value).startswith(function.__name__)
    assert told in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_the_ways_are_shown_where_one_is_asked_for() -> None:
    """A missing type is answered with the list of types."""
    with pytest.raises(DeclarationError, match=r"user: FullName +one row at a time(.|\n)*users: Rows +as SQL columns"):
        read_signature(untyped)


def test_one_row_at_a_time() -> None:
    """A model in; a model, None or one of several models out."""

    def pick(user: User) -> Name | Email | None:
        return None

    signature = read_signature(pick)
    assert (signature.arrival, signature.reads, signature.outputs.models) == (Arrival.ROW, User, (Name, Email))


def test_old_spellings_of_none() -> None:
    """Optional[...] means the same."""

    def pick(user: User) -> Optional[Name]:  # noqa: UP045
        return None

    assert read_signature(pick).outputs.models == (Name,)


def test_names_that_python_keeps() -> None:
    """A field with an alias stands for the column of that name."""

    def pick(user: Keyword) -> Keyword:
        return user

    assert read_signature(pick).reads is Keyword


@pytest.mark.parametrize("kind", [Rows, FromClause, Table])
def test_rows_as_columns(kind: Any) -> None:
    """`Rows`, and SQLAlchemy's own names for it."""

    def pick(users: Any) -> Mapping[str, Any]:
        return {}

    pick.__annotations__["users"] = kind
    signature = read_signature(pick)
    assert (signature.arrival, signature.reads, signature.outputs) == (Arrival.COLUMNS, None, Outputs())


def test_a_list_of_rows() -> None:
    """A batch, or a whole group; one answer for each row."""

    def pick(users: list[User]) -> list[Name | None]:
        return [None for _ in users]

    signature = read_signature(pick)
    assert (signature.arrival, signature.reads, signature.outputs.models) == (Arrival.BATCH, User, (Name,))


def test_changes() -> None:
    """Insert, Update and Delete, alone, with models, or in a list."""

    def pick(user: User) -> Name | Delete | Insert[Name] | None:
        return None

    def pick_list(user: User) -> list[Change]:
        return []

    assert read_signature(pick).outputs == Outputs((Name,), (Delete, Insert))
    assert read_signature(pick_list).outputs == Outputs((), (Change,))


def test_what_else_is_given() -> None:
    """A connection, and a state whose fields have defaults, by their types."""

    def pick(users: list[User], *, connection: Connection, count: Counted) -> list[Name]:
        return []

    signature = read_signature(pick)
    assert (signature.connections, signature.state) == (("connection",), ("count", Counted))
