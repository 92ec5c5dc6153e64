"""Form: how rows arrive at a function, and what its answer writes. One file a form in `forms/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Protocol, Union, get_args, get_origin

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Table

from backfill.declaration.changes import Write
from backfill.key import Key

Row = tuple[Key, Mapping[str, Any]]
"""A row as it is read: its key, and the columns asked for by name."""


@dataclass(frozen=True)
class Walked:
    """The live table that a form is tied to."""

    table: Table
    key: tuple[str, ...]
    adapt: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    """Ties an expression of the user's to the table's own columns."""


@dataclass(frozen=True)
class Bound:
    """A form tied to one live table: from here on everything is columns of it."""

    fetches: tuple[str, ...] | None
    """Columns fetched for each row; None when the rows stay in the database."""
    reads: frozenset[str]
    """Columns that the new values depend on."""
    writes: tuple[str, ...]
    """Columns that may be written."""
    never_null: frozenset[str]
    """Written columns that are never written as NULL."""
    literals: Mapping[str, Any]
    """Values that are known before any row is read, by column."""
    looks_elsewhere: bool
    """The new values depend on other rows too, so rows are locked before they are evaluated."""
    apply: Callable[[Sequence[Row]], list[Write]]
    """The transform itself: rows in, writes out, no I/O."""


class Form(Protocol):
    """How rows arrive at a function, and what its answer writes."""

    noun: str
    """How rows arrive, in the words that `plan` shows."""
    reads: type[BaseModel] | None
    """The model that a row is read into."""
    outputs: tuple[type[BaseModel], ...]
    """The models that may be returned; empty when the answer is a mapping."""

    def bind(self, walked: Walked) -> Bound:
        """Tie the form to a live table; raises DeclarationError where it does not fit."""
        ...


def columns_of_model(model: type[BaseModel]) -> dict[str, str]:
    """Field name to column name: a field with an alias reads and writes the column of that name."""
    return {name: field.alias or name for name, field in model.model_fields.items()}


def choices(annotation: Any) -> list[Any]:
    """The values to which a Literal or an Enum restricts a field; none where it is not restricted."""
    origin = get_origin(annotation)
    if origin is Literal:
        return list(get_args(annotation))
    if origin is Annotated:
        return choices(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [choice for member in get_args(annotation) for choice in choices(member)]
    is_enum = isinstance(annotation, type) and issubclass(annotation, Enum)
    return [member.value for member in annotation] if is_enum else []


def takes_none(model: type[BaseModel], name: str) -> bool:
    """Whether a field may be given None: by its type, or because a validator of its own looks at the value first."""
    validators = model.__pydantic_decorators__.field_validators.values()
    if any(name in validator.info.fields and validator.info.mode != "after" for validator in validators):
        return True
    field = model.model_fields[name]
    return _lets_none_through(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)


def may_be_none(model: type[BaseModel], name: str) -> bool:
    """Whether a field may hold None."""
    return _lets_none_through(model.model_fields[name].annotation)


def _lets_none_through(kind: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(None)
    except (ValidationError, PydanticUserError):  # the latter: a class that pydantic does not know, None is none of it
        return False
    return True
