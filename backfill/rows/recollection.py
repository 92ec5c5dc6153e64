"""Recollection: rows as they were before a run, by its images, from which is computed again what the run wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, false, literal, or_, select, type_coerce
from sqlalchemy.sql import visitors

from backfill.declaration.writes import Projection, Recordset, Verb, Write
from backfill.key import Key
from backfill.rows.given import Given
from backfill.rows.images import STAMP, Image, Stamp
from backfill.rows.source import Source
from backfill.rows.target import Target


class Recollection:
    """What one kind of write found, and what it left."""

    def __init__(self, target: Target, image: Image) -> None:
        self._target = target
        self._image = image
        self._connection = target.database.connection
        self._dialect = target.database.dialect
        self._has_met_own = False
        """An Update by a match was made, which may have met any row of the walked table."""

    @cached_property
    def _before(self) -> dict[str, ColumnElement[Any]]:
        return self._typed(self._image.before)

    @cached_property
    def _after(self) -> dict[str, ColumnElement[Any]]:
        return self._typed(self._image.after)

    def _typed(self, kept: Sequence[ColumnElement[Any]]) -> dict[str, ColumnElement[Any]]:
        columns = self._target.table.c
        return {
            name: type_coerce(each, columns[name].type) for name, each in zip(self._image.columns, kept, strict=True)
        }

    def is_of(self, source: Source) -> bool:
        """Whether it is about rows that this source walks."""
        return source is self._target

    def why_not(self) -> str | None:
        """Why it cannot be computed again; None where it can."""
        bound = self._target.bound
        is_own = self._image.table == self._target.name
        if self._image.verb is not Verb.UPDATE or not is_own or self._has_met_own:
            whose = "" if is_own else "other "
            return f"what was done to {whose}rows of {self._image.table} ({self._image.verb})"
        if bound.is_stateful or bound.performs or self._target.walk.is_grouped or self._looks_at_written():
            return f"rows of {self._image.table} whose values depend on others (a group, a look-up, a state, a step)"
        if bound.links:
            return f"rows of {self._image.table} that hold keys of rows inserted for them"
        return None

    def mismatches(self) -> Iterator[Key]:
        """Keys of the rows for which something else comes out than was written."""
        if self._target.bound.fetches is None:
            yield from self._computed_in_database()
            return
        for stamp in self._stamps():
            yield from self._computed_by_function(stamp)

    # ── in Python ───────────────────────────────────────────────────────────────────────────────────────────────

    def _stamps(self) -> list[Stamp]:
        stamps = select(*(self._image.kept.c[name] for name in STAMP)).distinct()
        return [(row[0], row[1], row[2]) for row in self._connection.execute(stamps)]

    def _computed_by_function(self, stamp: Stamp) -> Iterator[Key]:
        target, image = self._target, self._image
        reading = target.recall(image, image.made_by(*stamp), self._before)
        answer = target.apply(reading, Given(target.transform, target.database))
        self._has_met_own = self._has_met_own or any(map(self._meets_own, answer.writes))
        if self._has_met_own:
            return
        there = {key for key, *_ in reading.rows}
        computed: dict[Key, tuple[Any, ...]] = {}
        for write in answer.writes:
            if isinstance(write.relation, Recordset) and write.shape.is_own and write.shape.columns == image.columns:
                computed |= write.relation.rows
        kept = select(*image.keys, *self._after.values()).where(image.made_by(*stamp))
        width = len(image.key)
        for row in self._connection.execute(kept):
            if tuple(row[:width]) in there and self._stored(computed.get(tuple(row[:width]))) != tuple(row[width:]):
                yield tuple(row[:width])

    def _meets_own(self, write: Write) -> bool:
        shape = write.shape
        return shape.verb is Verb.UPDATE and not shape.is_own and shape.table == self._target.name

    def _looks_at_written(self) -> bool:
        """Whether it looks at rows that it has written since, by a look-up or by a connection of its own."""
        bound, given = self._target.bound, self._target.transform.given
        written = {self._target.name} | {shape.table for shape in bound.shapes or ()}
        looks_at_unknown = bound.shapes is None and bool(bound.looks_at)
        return bool(given.connections) or looks_at_unknown or bool(bound.looks_at & written)

    def _stored(self, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if values is None:
            return None
        columns = (self._target.table.c[name] for name in self._image.columns)
        return tuple(map(self._dialect.storable, columns, values))

    # ── in the database ─────────────────────────────────────────────────────────────────────────────────────────

    def _expressions(self) -> Iterator[tuple[str, ColumnElement[Any]]]:
        relations = (write.relation for write in self._target.bound.foreknown if write.shape.is_own)
        values = (item for each in relations if isinstance(each, Projection) for item in each.values.items())
        return ((name, self._as_it_is_stored(name, value)) for name, value in values if name in self._after)

    def _as_it_is_stored(self, name: str, value: Any) -> ColumnElement[Any]:
        if isinstance(value, ColumnElement):
            seen: ColumnElement[Any] = visitors.replacement_traverse(value, {}, self._as_it_was)
            return seen
        column = self._target.table.c[name]
        return literal(self._dialect.storable(column, value), column.type)

    def _computed_in_database(self) -> Iterator[Key]:
        image, table = self._image, self._target.table
        differs = [self._dialect.differs(self._after[name], value) for name, value in self._expressions()]
        found = select(*image.keys).where(image.is_of(table), or_(false(), *differs))
        yield from (tuple(row) for row in self._connection.execute(found))

    def _as_it_was(self, element: Any, **_: Any) -> Any:
        """A column of the walked table as it was before."""
        is_own = getattr(element, "table", None) is self._target.table
        return self._before.get(element.name) if is_own else None
