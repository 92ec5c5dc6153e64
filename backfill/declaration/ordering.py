"""Ordering: by which columns a table is walked, or the rows of a group are sorted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, column
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import ColumnClause, UnaryExpression

from backfill.declaration.conditions import NO_TEXT, has_text
from backfill.errors import DeclarationError


@dataclass(frozen=True)
class Ordering:
    """One step of an order."""

    expression: ColumnElement[Any]
    is_descending: bool = False

    @property
    def name(self) -> str | None:
        """The column's name, where it is a column and nothing else."""
        return self.expression.name if isinstance(self.expression, ColumnClause) else None


def read_ordering(given: Any) -> tuple[Ordering, ...]:
    """The steps of `order_by=`: names of columns, or expressions with .asc() or .desc().

    Raises:
        DeclarationError: it is none of these, or says where NULLs stand.
    """
    listed = given if isinstance(given, Iterable) and not isinstance(given, str | ColumnElement) else (given,)
    return tuple(_step(each) for each in listed)


def _step(given: Any) -> Ordering:
    if isinstance(given, str):
        return Ordering(column(given))
    given = given.__clause_element__() if hasattr(given, "__clause_element__") else given
    if isinstance(given, ClauseElement) and has_text(given):
        raise DeclarationError(NO_TEXT, code="order-raw-sql")
    if not isinstance(given, ColumnElement):
        raise DeclarationError(
            f'order_by takes names of columns, or column("x").desc(); not {type(given).__name__}', code="order-form"
        )
    if isinstance(given, UnaryExpression) and given.modifier is not None:
        if given.modifier not in (operators.asc_op, operators.desc_op):
            raise DeclarationError(
                "order_by takes .asc() and .desc(); NULLs stand last everywhere, unasked", code="order-nulls"
            )
        return Ordering(given.element, given.modifier is operators.desc_op)
    return Ordering(given)
