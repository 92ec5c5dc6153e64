"""Binding: values as the driver gets them, a column at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.exc import StatementError
from sqlalchemy.types import TypeEngine


def bound(
    driver: Dialect, pairs: Iterable[tuple[TypeEngine[Any], Sequence[Any]]], statement: str
) -> list[Sequence[Any]]:
    """What each type makes of its values; most make nothing of them.

    Raises:
        StatementError: a value cannot be bound; SQLAlchemy raises the same, with the values in its message.
    """
    try:
        return [_processed(driver, kind, values) for kind, values in pairs]
    except Exception as error:
        reason = f"{type(error).__name__}: a value cannot be bound"
        raise StatementError(reason, statement, None, error, hide_parameters=True) from None


def _processed(driver: Dialect, kind: TypeEngine[Any], values: Sequence[Any]) -> Sequence[Any]:
    process = kind.dialect_impl(driver).bind_processor(driver)
    return values if process is None else [*map(process, values)]
