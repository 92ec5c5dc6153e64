"""Ahead: rows that are still to be walked; to insert more of them would be a walk without end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Table

from backfill.batch import Batch
from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Shape, Verb
from backfill.errors import WalkedAgain
from backfill.rows.places import Places
from backfill.rows.walk import Walk


class Ahead:
    """What lies before a walk."""

    def __init__(self, table: Table, walk: Walk, places: Places, where: Condition) -> None:
        self._table = table
        self._walk = walk
        self._places = places
        self._where = where

    def may_grow_by(self, shape: Shape, table: Table) -> bool:
        """Whether a write inserts walked rows; a number that the database gives comes after all there are."""
        if shape.verb is not Verb.INSERT or table is not self._table:
            return False
        numbered = table.autoincrement_column
        return not self._walk.is_by_key or numbered is None or numbered.name in shape.columns

    @contextmanager
    def not_growing(self, batch: Batch) -> Iterator[None]:
        """Writes that may insert such rows.

        Raises:
            WalkedAgain: they did.
        """
        before = self._count(batch)
        yield
        if self._count(batch) > before:
            raise WalkedAgain(
                f"{self._table.fullname}: a row was inserted between those that are still to be walked, and `where` "
                "takes it: it would be walked too, and so on without end. Let where= leave such rows out"
            )

    def _count(self, batch: Batch) -> int:
        return self._places.count(batch.upto, batch.hi, self._where)
