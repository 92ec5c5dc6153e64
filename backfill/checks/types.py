"""Fields and columns are of one family: text in text, numbers in numbers, models and lists in JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel

from backfill.declaration.models import columns_of_model
from backfill.finding import Finding
from backfill.rows.target import Target

_FIELD_FAMILIES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "number"),
    (float, "fraction"),
    (Decimal, "fraction"),
    (str, "text"),
    (bytes, "bytes"),
    (UUID, "uuid"),
    (datetime, "moment"),
    (date, "date"),
    (time, "time"),
    (timedelta, "interval"),
    (BaseModel, "document"),
    (Mapping, "document"),
    (list, "list"),
    (tuple, "list"),
    (set, "list"),
    (frozenset, "list"),
)
_COLUMN_FAMILIES: tuple[tuple[type, frozenset[str]], ...] = (
    (sa.JSON, frozenset({family for _, family in _FIELD_FAMILIES} - {"bytes"})),
    (sa.ARRAY, frozenset({"list"})),
    (sa.Boolean, frozenset({"boolean"})),
    (sa.Integer, frozenset({"number", "boolean"})),
    (sa.Numeric, frozenset({"number", "fraction"})),
    (sa.Float, frozenset({"number", "fraction"})),
    (sa.Uuid, frozenset({"uuid", "text"})),
    (sa.String, frozenset({"text", "uuid"})),
    (sa.LargeBinary, frozenset({"bytes"})),
    (sa.DateTime, frozenset({"moment", "date"})),
    (sa.Date, frozenset({"date"})),
    (sa.Time, frozenset({"time"})),
    (sa.Interval, frozenset({"interval"})),
)
_ADVICE = {
    "fraction": "it would be rounded; round it in the function, and give the field the type int",
    "moment": "its time would be dropped; give the field the type date",
    "document": "it needs a JSON column; for text say json.dumps(...)",
    "list": "it needs a JSON or array column; for text say json.dumps(...)",
}


def check_types(target: Target) -> Iterator[Finding]:
    """Output fields, and values known beforehand, that their column cannot hold."""
    for model in target.transform.form.outputs:
        yield from model_types(target.table, model, target.bound.literals)
    for column, value in target.bound.literals.items():
        yield from value_type(target.table, column, value)


def model_types(table: sa.Table, model: type[BaseModel], besides: Collection[str] = ()) -> Iterator[Finding]:
    """Fields of a model that their column cannot hold, but for these columns."""
    for field, column in columns_of_model(model).items():
        if column not in besides:
            families = set(families_of(model.model_fields[field].annotation))
            yield from _compare(table, column, families, f"{model.__name__}.{field}")


def value_type(table: sa.Table, column: str, value: Any) -> Iterator[Finding]:
    """A value that its column cannot hold."""
    yield from _compare(table, column, set(families_of(type(value))), f"the value for {column}")


def _compare(table: sa.Table, column: str, families: set[str], what: str) -> Iterator[Finding]:
    if column not in table.c:
        return
    kind = table.c[column].type
    held = families_held(kind)
    for family in sorted(families - held) if held is not None else ():
        advice = _ADVICE.get(family, "change the model or the column")
        yield Finding("writes-type", f"{what} is a {family} and {table.fullname}.{column} is {_spell(kind)}: {advice}")


def families_of(annotation: Any) -> Iterator[str]:
    """The families of values that a field of this type may hold."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from families_of(member)
    elif origin is Annotated:
        yield from families_of(get_args(annotation)[0])
    elif origin is Literal:
        for value in get_args(annotation):
            yield from families_of(type(value))
    else:
        yield from _family(origin or annotation)


def _family(kind: Any) -> Iterator[str]:
    if not isinstance(kind, type) or kind is NoneType:
        return
    if issubclass(kind, Enum):
        for member in kind:
            yield from _family(type(member.value))
        return
    family = next((family for base, family in _FIELD_FAMILIES if issubclass(kind, base)), None)
    if family is not None:
        yield family


def families_held(kind: Any) -> frozenset[str] | None:
    """The families of values that a column of this type holds; None if the type is not known."""
    return next((held for base, held in _COLUMN_FAMILIES if isinstance(kind, base)), None)


def _spell(kind: Any) -> str:
    return type(kind).__name__
