"""Places: where rows of a table stand in a walk, found and counted by the database."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Integer, Select, Table, bindparam, func, literal_column, select

from backfill.database import Database
from backfill.declaration.conditions import Condition
from backfill.key import Key
from backfill.rows.walk import Walk


class Places:
    """The places of one walk."""

    def __init__(self, database: Database, table: Table, walk: Walk) -> None:
        self._connection = database.connection
        self._table = table
        self._walk = walk
        self._nth = lru_cache(self._select_nth)

    def last(self) -> Key | None:
        """The last one; None when the table is empty."""
        return self._first_of(self._select().order_by(*self._walk.ordering(is_reversed=True)))

    def nth(self, after: Key | None, hi: Key, n: int, *conditions: Condition) -> Key | None:
        """Where the n-th row stands of those that the conditions take; None where there are fewer up to `hi`."""
        span = self._walk.span(after, hi)
        return self._first_of(self._nth(span.condition, *conditions), {**span.values, "backfill_passed": n - 1})

    def count(self, after: Key | None, upto: Key, *conditions: Condition) -> int:
        """How many rows stand there that the conditions take."""
        span = self._walk.span(after, upto)
        rows = select(func.count()).select_from(self._table).where(span.condition, *conditions)
        return int(self._connection.execute(rows, span.values).scalar_one())

    def is_any(self, *conditions: Condition) -> bool:
        """Whether the conditions take any row of the table: one scan, in whatever order is quickest.

        They are counted, since a count is what PostgreSQL shares out among workers; as a rule there is none to find.
        """
        rows = select(func.count()).select_from(self._table).where(*conditions)
        return bool(self._connection.execute(rows).scalar_one())

    def around(self, row: Condition) -> tuple[Key | None, Key] | None:
        """The place of a row, and the one before it, None where it is the first; None when the row is not there."""
        place = self._first_of(self._select().where(row))
        if place is None:
            return None
        earlier = self._select().where(self._walk.before(place)).order_by(*self._walk.ordering(is_reversed=True))
        return self._first_of(earlier), place

    def crowd(self, most: int, *conditions: Condition) -> int | None:
        """How many rows share a place that more than `most` share; None when there is no such place."""
        rows = func.count()
        shared = select(rows).select_from(self._table).where(*conditions).group_by(*self._walk.columns)
        found = self._connection.execute(shared.having(rows > most).limit(1)).first()
        return None if found is None else int(found[0])

    def _select(self) -> Select[Any]:
        return select(*(self._walk.columns or [literal_column("1")])).select_from(self._table).limit(1)

    def _select_nth(self, *conditions: Condition) -> Select[Any]:
        passed = bindparam("backfill_passed", type_=Integer)
        return self._select().where(*conditions).order_by(*self._walk.ordering()).offset(passed)

    def _first_of(self, places: Select[Any], values: Mapping[str, Any] | None = None) -> Key | None:
        row = self._connection.execute(places, values).first()
        return None if row is None else tuple(row)[: len(self._walk.columns)]
