"""Parameters: what the values of a statement for many rows are called, and the types they are bound with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, String, Table, bindparam, column, text

from backfill.declaration.writes import Shape
from backfill.key import Key


def assigned(table: Table, shape: Shape) -> dict[str, ColumnElement[Any]]:
    """A parameter for each column that a shape gives."""
    return {name: bindparam(value_parameter(n), type_=table.c[name].type) for n, name in enumerate(shape.columns)}


def key_parameter(n: int) -> str:
    """What the n-th value is called by which a row is matched."""
    return f"key_{n}"


def value_parameter(n: int) -> str:
    """What the n-th value given is called."""
    return f"value_{n}"


def typed(columns: Sequence[ColumnElement[Any]], key: Key) -> list[ColumnElement[Any]]:
    """The key's values, bound with its columns' types."""
    return [typed_value(column, part) for column, part in zip(columns, key, strict=True)]


def typed_value(column: ColumnElement[Any], value: Any) -> BindParameter[Any]:
    """A value, bound with its column's type; or a parameter that stands for it already."""
    if isinstance(value, BindParameter):
        return value
    return bindparam(None, value, type_=column.type, unique=True)


def scalar(query: str, **values: Any) -> ColumnElement[str]:
    """The text that a query in the database's own words finds, as part of another statement."""
    found = text(query).bindparams(**values).columns(column("found", String))
    return found.scalar_subquery()
