"""Walk: the order in which a table's rows are met, and which of them lie between two places of it.

Usually it is the order of the key. A walk by other columns has the key at its end, so that each row has a place of
its own; a walk by groups has places that whole groups share, NULLs last, so that no batch splits one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, and_, bindparam, false, or_, true

from backfill.declaration.conditions import Condition
from backfill.dialect import Dialect
from backfill.key import Key
from backfill.parameters import typed_value


@dataclass(frozen=True)
class Place:
    """One column of the order."""

    column: ColumnElement[Any]
    is_descending: bool = False
    is_nullable: bool = False

    def ordering(self, *, is_reversed: bool = False) -> list[ColumnElement[Any]]:
        """What ORDER BY says; NULLs stand last in every database."""
        column = self.column.desc() if self.is_descending is not is_reversed else self.column.asc()
        if not self.is_nullable:
            return [column]
        absent: ColumnElement[Any] = self.column.is_(None)
        return [absent.desc() if is_reversed else absent.asc(), column]

    def is_beyond(self, value: Any, *, or_at: bool = False) -> Condition:
        """Later in the order than the value, or at it too."""
        if value is None:
            return self.column.is_(None) if or_at else false()
        later: Condition = self._compare(value, is_less=self.is_descending, or_at=or_at)
        return or_(later, self.column.is_(None)) if self.is_nullable else later

    def is_before(self, value: Any, *, or_at: bool = False) -> Condition:
        """Earlier in the order than the value, or at it too."""
        if value is None:
            return true() if or_at else self.column.is_not(None)
        return self._compare(value, is_less=not self.is_descending, or_at=or_at)

    def is_at(self, value: Any) -> Condition:
        """At the value."""
        return self.column.is_(None) if value is None else self.column == typed_value(self.column, value)

    def _compare(self, value: Any, *, is_less: bool, or_at: bool) -> Condition:
        compare = (operator.le if is_less else operator.ge) if or_at else (operator.lt if is_less else operator.gt)
        compared: Condition = compare(self.column, typed_value(self.column, value))
        return compared


@dataclass(frozen=True)
class Span:
    """The rows between two places. All spans of a walk share a condition, so that statements can be kept."""

    condition: Condition
    values: Mapping[str, Any]
    """The places, which go to the database beside the statement."""


class Walk:
    """An order of rows with places that are kept as checkpoints."""

    def __init__(self, dialect: Dialect, places: Sequence[Place], *, is_by_key: bool, is_grouped: bool) -> None:
        self._dialect = dialect
        self._places = places
        self.columns = [place.column for place in places]
        self.is_by_key = is_by_key
        """Rows come in the order of their key, which is all there is to a place."""
        self.is_grouped = is_grouped
        """Several rows share a place."""
        self._is_plain = not any(place.is_descending or place.is_nullable for place in places)
        self._conditions: dict[tuple[Any, ...], Condition] = {}
        """Of spans, by the parameters in them: none stands for NULL."""

    def ordering(self, *, is_reversed: bool = False) -> list[ColumnElement[Any]]:
        """What ORDER BY says."""
        return [clause for place in self._places for clause in place.ordering(is_reversed=is_reversed)]

    def between(self, after: Key | None, upto: Key) -> Condition:
        """Rows behind `after`, up to and including those at `upto`."""
        bounds = [self._upto(upto)]
        if after is not None:
            bounds.append(self._after(after))
        return and_(*bounds)

    def span(self, after: Key | None, upto: Key) -> Span:
        """The same rows, by parameters."""
        sides = {"upto": upto} if after is None else {"upto": upto, "after": after}
        values = {_mark(side, n): part for side, key in sides.items() for n, part in enumerate(key) if part is not None}
        pattern = (*sides, *values)
        if pattern not in self._conditions:
            marked = {side: self._marked(side, key) for side, key in sides.items()}
            self._conditions[pattern] = self.between(marked.get("after"), marked["upto"])
        return Span(self._conditions[pattern], values)

    def before(self, place: Key) -> Condition:
        """Rows that stand before a place."""
        return _split(Place.is_before, self._places, place, at_end=False) if self._places else false()

    def _marked(self, side: str, key: Key) -> Key:
        places = enumerate(zip(self.columns, key, strict=True))
        return tuple(
            None if part is None else bindparam(_mark(side, n), type_=column.type) for n, (column, part) in places
        )

    def _after(self, key: Key) -> Condition:
        if not self._places:
            return false()  # all rows have one place
        if self._is_plain:
            return self._dialect.after(self.columns, key)
        return _split(Place.is_beyond, self._places, key, at_end=False)

    def _upto(self, key: Key) -> Condition:
        if not self._places:
            return true()
        if self._is_plain:
            return self._dialect.upto(self.columns, key)
        return _split(Place.is_before, self._places, key, at_end=True)


def _mark(side: str, n: int) -> str:
    return f"backfill_{side}_{n}"


def walk_by_key(dialect: Dialect, columns: Sequence[Column[Any]]) -> Walk:
    """The order of the key."""
    return Walk(dialect, [Place(dialect.walked(column)) for column in columns], is_by_key=True, is_grouped=False)


def walk_by_order(dialect: Dialect, order: Sequence[tuple[Column[Any], bool]], key: Sequence[Column[Any]]) -> Walk:
    """The order of other columns, each ascending or descending, and of the key at the end."""
    named = {column.name for column, _ in order}
    places = [Place(dialect.walked(column), is_descending) for column, is_descending in order]
    places += [Place(dialect.walked(column)) for column in key if column.name not in named]
    return Walk(dialect, places, is_by_key=False, is_grouped=False)


def walk_by_groups(dialect: Dialect, columns: Sequence[Column[Any]]) -> Walk:
    """The order of the groups; without columns all rows are one group."""
    places = [Place(dialect.walked(column), is_nullable=bool(column.nullable)) for column in columns]
    return Walk(dialect, places, is_by_key=False, is_grouped=True)


def _split(side: Callable[..., Condition], places: Sequence[Place], key: Key, *, at_end: bool) -> Condition:
    """`a >= x AND (a > x OR (a = x AND ...))`, since columns may hold NULL or run the other way.

    The first part gives an index its range. At the last column it is `at_end` that says whether equal is in.
    """
    (place, *rest), (value, *values) = places, key
    if not rest:
        return side(place, value, or_at=at_end)
    deeper = and_(place.is_at(value), _split(side, rest, tuple(values), at_end=at_end))
    return and_(side(place, value, or_at=True), or_(side(place, value), deeper))
