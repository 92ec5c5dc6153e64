"""Values: how a plain Python value stands in a column, to be compared with what is there or to be stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import JSON, Boolean, Column, DateTime, Integer, String
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ClauseList, ExpressionClauseList, False_, True_
from sqlalchemy.types import NullType

from backfill.errors import DeclarationError

_COMPARISONS = frozenset(
    {
        operators.eq,
        operators.ne,
        operators.lt,
        operators.le,
        operators.gt,
        operators.ge,
        operators.in_op,
        operators.not_in_op,
        operators.between_op,
        operators.not_between_op,
        operators.is_distinct_from,
        operators.is_not_distinct_from,
    }
)
_PLAIN = (str, bytes, bool, int, float, Decimal, UUID, date, datetime, time)
"""Python types in which a column's values come, and to which text from a JSON definition can be brought."""

STORED_AS_THEY_ARE = frozenset({NoneType, str, bytes, bool, int, float, Decimal, date, time})
"""Python types of which `plain` changes no value."""

_HEX = 32
"""Characters of a UUID without its dashes, as SQLAlchemy keeps one where the database has no such type."""

Find = Callable[[Any], Column[Any] | None]


def plain(value: Any, column: Column[Any]) -> Any:
    """The value as drivers take it: an enum's own, UTC without a zone, and a UUID as text where the column is so."""
    value = value.value if isinstance(value, Enum) else value
    if isinstance(value, UUID) and isinstance(column.type, String):
        return value.hex if column.type.length == _HEX else str(value)
    if isinstance(value, datetime) and value.tzinfo and has_no_zone(column):
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def has_no_zone(column: Column[Any]) -> bool:
    """Whether the column holds moments without saying in which zone: then it is UTC, as in every batch's session."""
    return isinstance(column.type, DateTime) and not column.type.timezone


def comparands(expression: Any, find: Find) -> dict[BindParameter[Any], BindParameter[Any]]:
    """Each value that is compared with a column that `find` knows, bound with that column's type.

    Raises:
        DeclarationError: a value is of another kind than the column, which some databases would take for equal.
    """
    return {value: _retyped(value, column) for value, column in _pairs(expression, find)}


def _pairs(expression: Any, find: Find) -> Iterator[tuple[BindParameter[Any], Column[Any]]]:
    for element in visitors.iterate(expression):
        if not isinstance(element, BinaryExpression) or element.operator not in _COMPARISONS:
            continue
        for one, other in ((element.left, element.right), (element.right, element.left)):
            column = find(one)
            if column is not None:
                _refuse_truth(other, column)
                yield from ((value, column) for value in _values(other))


def _values(side: Any) -> Iterator[BindParameter[Any]]:
    if isinstance(side, BindParameter):
        yield side
    elif isinstance(side, ClauseList | ExpressionClauseList):  # BETWEEN
        yield from (clause for clause in side.clauses if isinstance(clause, BindParameter))


def _refuse_truth(side: Any, column: Column[Any]) -> None:
    """True and False are words of SQL, not values to bind: some databases take them for 1 and 0."""
    if isinstance(side, True_ | False_) and not isinstance(column.type, Boolean | Integer | NullType):
        raise _mismatch(column, bool, "a value of its own type")


def _mismatch(column: Column[Any], given: type, wanted: str) -> DeclarationError:
    return DeclarationError(
        f"{column} is {column.type!s} and is compared with a value of type {given.__name__}: give it {wanted}",
        code="compared-type",
    )


def _retyped(value: BindParameter[Any], like: Column[Any]) -> BindParameter[Any]:
    if isinstance(like.type, JSON):
        raise DeclarationError(
            f"{like} is {like.type!s}, and documents are not compared as a whole: "
            f'ask is_missing("{like.name}"), or for a part of it: column("{like.name}", JSON)["part"].as_string()',
            code="compared-document",
        )
    plain = [_converted(one, like) for one in value.value or ()] if value.expanding else _converted(value.value, like)
    return BindParameter(None, plain, type_=like.type, unique=True, expanding=value.expanding)


def _converted(value: Any, like: Column[Any]) -> Any:
    """The value in the Python type that the column's values have, as far as nothing is guessed."""
    value = plain(value, like)
    try:
        wanted = like.type.python_type
    except NotImplementedError:  # a type of which SQLAlchemy knows no Python form
        return value
    if value is None or wanted not in _PLAIN or type(value) is wanted:
        return value
    try:
        return TypeAdapter(wanted).validate_python(value)
    except ValidationError:
        raise _mismatch(like, type(value), wanted.__name__) from None
