"""Restoration: puts rows back as one write found them, where they still hold what it wrote.

A row is settled when it is as it was before; its image is then deleted, in the same transaction. What is left of the
images is what could not be restored, because somebody changed the row since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, delete, exists, func, insert, literal, or_, select, update

from backfill.database import Database
from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Verb
from backfill.errors import Refused
from backfill.key import Key
from backfill.rows.chosen import among
from backfill.rows.images import Image, Stamp
from backfill.rows.tables import Tables


class Restoration:
    """Takes back the writes that one image was made of."""

    def __init__(self, database: Database, tables: Tables, image: Image) -> None:
        self._database = database
        self._connection = database.connection
        self._dialect = database.dialect
        self.image = image
        self._table = tables.find(image.table)
        gone = [name for name in (*image.key, *image.columns) if name not in self._table.c]
        if gone:
            raise Refused(
                f"{image.table}.{gone[0]} is not there any more, so what it held cannot be restored. Undo comes before "
                "the downgrade that drops it",
                code="images-outlived",
            )

    # ── which ───────────────────────────────────────────────────────────────────────────────────────────────────

    def newest(self, slice_number: int, below: int) -> int | None:
        """The newest batch of a slice before `below` of which there are images."""
        kept = self.image.kept.c
        batches = select(func.max(kept.seq)).where(kept.slice_number == slice_number, kept.seq < below)
        found: int | None = self._connection.execute(batches).scalar()
        return found

    def writes_of(self, slice_number: int, seq: int) -> list[int]:
        """The numbers of the batch's writes that are kept here."""
        numbers = select(self.image.kept.c.write_number).where(self.image.made_by(slice_number, seq)).distinct()
        return [number for (number,) in self._connection.execute(numbers)]

    def first_keys(self, most: int) -> list[Key]:
        """The first rows that are not settled."""
        return [tuple(row) for row in self._connection.execute(select(*self.image.keys).distinct().limit(most))]

    def keys_of(self, stamp: Stamp) -> list[Key]:
        """The rows of a write that are not settled."""
        left = select(*self.image.keys).where(self.image.made_by(*stamp))
        return [tuple(row) for row in self._connection.execute(left)]

    def count(self) -> int:
        """How many rows are not settled."""
        return int(self._connection.execute(select(func.count()).select_from(self.image.kept)).scalar_one())

    # ── restoring ───────────────────────────────────────────────────────────────────────────────────────────────

    def restore(self, stamp: Stamp, key: Key | None = None) -> int:
        """Put the rows of a write back, or one of them; gives how many were put back."""
        meant = self.image.made_by(*stamp)
        if key is not None:
            meant = and_(meant, self._dialect.among(self.image.keys, [key]))
        undo = {Verb.UPDATE: self._revert, Verb.INSERT: self._remove, Verb.DELETE: self._return}[self.image.verb]
        with self._dialect.verbatim(self._connection):
            restored = undo(meant)
        self._database.change(delete(self.image.kept).where(meant, self._is_settled()))
        return restored

    def _revert(self, meant: Condition) -> int:
        held = dict(zip(self.image.columns, self.image.before, strict=True))
        return self._database.change(update(self._table).where(self._is_ours(), meant).values(held))

    def _remove(self, meant: Condition) -> int:
        """Found and locked first, since not every database can delete by a join."""
        keys = [self._table.c[name] for name in self.image.key]
        ours = self._dialect.lock(select(*keys).where(self._is_ours(), meant))
        found = [tuple(row) for row in self._connection.execute(ours)]
        return sum(
            self._database.change(delete(self._table).where(each)) for each in among(self._database, keys, found)
        )

    def _return(self, meant: Condition) -> int:
        is_there = exists(select(literal(1)).select_from(self._table).where(self.image.is_of(self._table)))
        gone = select(*self.image.before).where(meant, ~is_there)
        return self._database.change(insert(self._table).from_select(list(self.image.columns), gone))

    # ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────

    def _columns(self) -> Sequence[Any]:
        return [self._table.c[name] for name in self.image.columns]

    def _is_ours(self) -> Condition:
        """The row still holds what was written."""
        return and_(self.image.is_of(self._table), self._dialect.identical(self._columns(), self.image.after))

    def _is_settled(self) -> Condition:
        """The row is as it was before, or the write changed nothing of it."""
        there = select(literal(1)).select_from(self._table).where(self.image.is_of(self._table))
        if self.image.verb is Verb.INSERT:
            return ~exists(there)
        is_as_before = exists(there.where(self._dialect.identical(self._columns(), self.image.before)))
        if self.image.verb is Verb.DELETE:
            return is_as_before
        return or_(is_as_before, self._dialect.identical(self.image.before, self.image.after))
