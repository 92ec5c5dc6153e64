"""Form: how rows arrive at a function, and what its answer writes. One file a form in `forms/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Protocol, Union, get_args, get_origin

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Table

from backfill.changes import Write
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


def takes_none(annotation: Any) -> bool:
    """Whether a field of this type may be None."""
    if get_origin(annotation) is Annotated:
        return takes_none(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return any(takes_none(member) for member in get_args(annotation))
    return annotation in (None, NoneType, Any)
