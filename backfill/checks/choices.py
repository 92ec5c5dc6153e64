"""Every choice that a field allows, and every text known beforehand, is one that an enum column knows."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum as PythonEnum
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Enum, Table

from backfill.declaration.conditions import suggest
from backfill.declaration.models import choices, columns_of_model
from backfill.finding import Finding
from backfill.rows.target import Target


def check_choices(target: Target) -> Iterator[Finding]:
    """Literal and Enum fields, and literal texts, against the labels of the column's enum."""
    for model in target.transform.form.outputs:
        yield from model_choices(target.table, model)
    for column, value in target.bound.literals.items():
        yield from value_choice(target.table, column, value)


def model_choices(table: Table, model: type[BaseModel]) -> Iterator[Finding]:
    """Choices of a model's fields that the column's enum does not know."""
    for field, column in columns_of_model(model).items():
        for choice in choices(model.model_fields[field].annotation):
            yield from value_choice(table, column, choice)


def value_choice(table: Table, column: str, value: Any) -> Iterator[Finding]:
    """A text that the column's enum does not know."""
    value = value.value if isinstance(value, PythonEnum) else value
    kind: Any = table.c[column].type if column in table.c else None
    if isinstance(kind, Enum) and isinstance(value, str) and value not in kind.enums:
        yield Finding(
            "writes-choice",
            f"{table.fullname}.{column} does not know {value!r}; it knows {', '.join(kind.enums)}."
            f"{suggest(value, kind.enums)}",
        )
