"""Uses of the public API that a type checker must accept, and the types that an editor shows for them.

Not run: checked with the rest of the code, by `mypy --strict`.
"""

from collections.abc import Mapping
from typing import Any, assert_type

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Table, case, column, exists, func, select, table

import backfill
from backfill import Rejected, Rows, Transform, is_missing


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
