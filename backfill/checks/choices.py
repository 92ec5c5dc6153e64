"""Every choice that a field allows, and every text known beforehand, is one that an enum column knows."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum as PythonEnum
from typing import Any

from sqlalchemy import Enum

from backfill.declaration.conditions import suggest
from backfill.declaration.form import choices, columns_of_model
from backfill.finding import Finding
from backfill.target import Target


def check_choices(target: Target) -> Iterator[Finding]:
    """Literal and Enum fields, and literal texts, against the labels of the column's enum."""
    for model in target.transform.form.outputs:
        for field, column in columns_of_model(model).items():
            for choice in choices(model.model_fields[field].annotation):
                yield from _compare(target, column, choice)
    for column, value in target.bound.literals.items():
        yield from _compare(target, column, value.value if isinstance(value, PythonEnum) else value)


def _compare(target: Target, column: str, value: Any) -> Iterator[Finding]:
    kind: Any = target.table.c[column].type if column in target.table.c else None
    if isinstance(kind, Enum) and isinstance(value, str) and value not in kind.enums:
        yield Finding(
            "writes-choice",
            f"{target.name}.{column} does not know {value!r}; it knows {', '.join(kind.enums)}."
            f"{suggest(value, kind.enums)}",
        )
