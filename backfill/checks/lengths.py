"""No declared length is wider than its column."""

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from sqlalchemy import String

from backfill.finding import Finding
from backfill.form import columns_of_model
from backfill.target import Target


def check_lengths(target: Target) -> Iterator[Finding]:
    """Output fields whose max_length the column cannot hold, and literal texts that are too long."""
    for model in target.transform.form.outputs:
        for field, column in columns_of_model(model).items():
            allowed, declared = _length(target, column), _max_length(model.model_fields[field])
            if allowed is not None and declared is not None and declared > allowed:
                yield Finding(
                    "writes-length",
                    f"{model.__name__}.{field} allows {declared} characters; {target.name}.{column} holds {allowed}",
                )
    for column, value in (target.transform.definition.values or {}).items():
        allowed = _length(target, column)
        if allowed is not None and isinstance(value, str) and len(value) > allowed:
            yield Finding(
                "writes-length", f"the text for {target.name}.{column} has {len(value)} characters; it holds {allowed}"
            )


def _length(target: Target, column: str) -> int | None:
    kind: Any = target.table.c[column].type if column in target.table.c else None
    return kind.length if isinstance(kind, String) else None


def _max_length(field: FieldInfo) -> int | None:
    return next((rule.max_length for rule in field.metadata if hasattr(rule, "max_length")), None)
