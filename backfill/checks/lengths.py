"""No declared length, and no value known beforehand, is wider than its column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy import String, Table

from backfill.declaration.models import choices, columns_of_model
from backfill.finding import Finding
from backfill.rows.target import Target


def check_lengths(target: Target) -> Iterator[Finding]:
    """Output fields that allow more characters than the column holds, and literal texts that are too long."""
    for model in target.transform.form.outputs:
        yield from model_lengths(target.table, model)
    for column, value in target.bound.literals.items():
        yield from value_length(target.table, column, value)


def model_lengths(table: Table, model: type[BaseModel]) -> Iterator[Finding]:
    """Fields of a model that allow more characters than their column holds."""
    for field, column in columns_of_model(model).items():
        allowed, declared = _length(table, column), _declared(model.model_fields[field])
        if allowed is not None and declared is not None and declared > allowed:
            yield Finding(
                "writes-length",
                f"{model.__name__}.{field} allows {declared} characters; {table.fullname}.{column} holds {allowed}",
            )


def value_length(table: Table, column: str, value: Any) -> Iterator[Finding]:
    """A text that is too long for its column."""
    allowed = _length(table, column)
    if allowed is not None and isinstance(value, str) and len(value) > allowed:
        yield Finding(
            "writes-length", f"the text for {table.fullname}.{column} has {len(value)} characters; it holds {allowed}"
        )


def _length(table: Table, column: str) -> int | None:
    kind: Any = table.c[column].type if column in table.c else None
    return kind.length if isinstance(kind, String) else None


def _declared(field: FieldInfo) -> int | None:
    """The longest text that the field's type lets through, where it says."""
    longest = [rule.max_length for rule in field.metadata if getattr(rule, "max_length", None) is not None]
    chosen = [len(choice) for choice in choices(field.annotation) if isinstance(choice, str)]
    return min(longest, default=max(chosen, default=None))
