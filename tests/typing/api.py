"""Uses of the public API that a type checker must accept, and the types that an editor shows for them.

Not run: checked with the rest of the code, by `mypy --strict`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, assert_type

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Table, case, column, exists, func, select, table
from sqlalchemy.orm import Session

import backfill
from backfill import Change, Delete, Insert, Rejected, Rows, Transform, Update, is_missing


class User(BaseModel):
    """Columns read."""

    full_name: str | None


class Name(BaseModel):
    """Columns written."""

    first_name: str


class Email(BaseModel):
    """Other columns written."""

    email: str | None


@backfill.transform("users", where=is_missing("first_name"))
def one_model(user: User) -> Name:
    """Every row gets a value."""
    if not user.full_name:
        raise Rejected("no name")
    return Name(first_name=user.full_name)


@backfill.transform("users")
def model_or_none(user: User) -> Name | None:
    """Some rows are left."""
    return Name(first_name=user.full_name) if user.full_name else None


@backfill.transform("users", "app.admins", where=None)
def several_models(user: User) -> Name | Email | None:
    """Different columns for different rows."""
    return Email(email=None)


@backfill.transform("users", where=(column("a") == 1) & ~is_missing("b") | column("c").in_([1, 2]))
def columns(users: Rows) -> dict[str, Any]:
    """Expressions."""
    return {"a": func.lower(users.c.a), "b": case((users.c.b > 1, 1), else_=None), "c": users.c.c + 1, "d": None}


@backfill.transform("users", where=exists().where(table("a", column("b")).c.b == table("users", column("c")).c.c))
def mapping(users: Rows) -> Mapping[str, ColumnElement[str]]:
    """A narrower mapping."""
    return {"email": func.lower(users.c.email)}


@backfill.transform("users", where=~select(1).where(table("a", column("b")).c.b == 1).exists())
def constants(users: Rows) -> Name:
    """A model of constants."""
    return Name(first_name=users.name)


class Linked(BaseModel):
    """A column written, from a row that is inserted first."""

    name_id: Insert[Name] | int | None


class Count(BaseModel):
    """Carried from batch to batch."""

    n: int = 0


@backfill.transform("users", where=is_missing("name_id"))
def linked(user: User) -> Linked:
    """An Insert stands for its key."""
    return Linked(name_id=Insert("names", Name(first_name="Ada"), match="first_name", update=("first_name",)))


@backfill.transform("users")
def changes(user: User) -> list[Change]:
    """Several, in this order."""
    return [Insert("a", Name(first_name="x")), Update("b", Email(email=None), id=1, c=None), Delete("c", d=1), Delete()]


@backfill.transform("users")
def narrow(user: User) -> Name | Insert[Name] | list[Insert[Name] | Delete] | None:
    """Or as narrow as one likes."""
    return None


@backfill.transform("users", lookups={"full_name": select(table("a", column("b")).c.b)}, order_by="id")
def batch(users: list[User], *, state: Count, connection: Connection) -> list[Name | None]:
    """A list of rows, and what else is given."""
    state.n += len(users)
    return [None for _ in users]


@backfill.transform("users", group_by=("a", "b"), order_by=[column("c").desc(), func.lower(column("d"))])
def groups(users: list[User]) -> Sequence[Name | list[Change] | None]:
    """Whole groups."""
    return [None, [Delete()], Name(first_name="x")]


@backfill.transform("users", group_by=())
def all_rows(users: list[User]) -> list[list[Insert[Name] | Delete]]:
    """All rows are one group."""
    return [[] for _ in users]


@backfill.transform("users")
def deleted(users: Rows) -> Delete:
    """Without leaving the database."""
    return Delete()


@backfill.transform("users")
def moved(users: Rows) -> list[Change]:
    """Expressions and selects for values."""
    return [Insert("a", select(users.c.b).distinct(), match="b"), Update("c", {"d": users.c.e}, f=users.c.g), Delete()]


@backfill.transform("users")
def mixed(users: Rows) -> list[dict[str, Any] | Insert]:
    """New values of the rows among them."""
    return [{"a": users.c.b}, Insert("c", {"d": users.c.e})]


@backfill.seed()
def seeded() -> list[Change]:
    """Rows without a source."""
    return [Update("a", Email(email=None), b=None), Insert("a", {"b": 1}, match=["b"])]


@backfill.seed()
def seeded_by_looking(connection: Connection) -> tuple[Insert[Name], ...]:
    """Any iterable of any change."""
    return (Insert("a", Name(first_name="x")),)


@backfill.step()
def performed(connection: Connection) -> None:
    """Once."""


@backfill.step("users", where=is_missing("a"), order_by=column("b"))
def performed_by_batch(users: Rows, *, session: Session) -> int:
    """For each batch; it says how many rows it wrote."""
    return 0


def calls_of_changes(connection: Connection) -> None:
    """Their types too; changes are compared by value."""
    user = User(full_name="Ada")
    assert_type(linked(user), Linked)
    assert_type(changes(user), list[Change])
    assert_type(batch([user], state=Count(), connection=connection), Sequence[Name | None])
    assert_type(seeded() == [Delete()], bool)
    assert_type(performed(connection), None)
    performed_by_batch(users=table("users"), session=Session())


def calls(users: Table) -> None:
    """A transform is still its function, and has its types."""
    assert_type(one_model(User(full_name="Ada")), Name)
    assert_type(model_or_none(User(full_name="Ada")), Name | None)
    assert_type(several_models(User(full_name=None)), Name | Email | None)
    assert_type(columns(users), dict[str, Any])
    assert_type(mapping(users), Mapping[str, ColumnElement[str]])
    assert_type(constants(users), Name)
    assert_type(one_model.name, str)


def takes_any(transform: Transform[..., Any]) -> str:
    """What a helper of a project's own may ask for."""
    return transform.definition.name


names = [takes_any(each) for each in (one_model, model_or_none)] + [takes_any(columns), takes_any(constants)]
