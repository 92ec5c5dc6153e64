"""Reader: locks and reads the rows of one batch of the walked table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, literal_column, or_, select
from sqlalchemy.sql.selectable import NamedFromClause

from backfill.batch import Batch
from backfill.database import Database
from backfill.declaration.adaptation import has_subquery
from backfill.declaration.conditions import Condition
from backfill.declaration.form import Bound, Reading, Row, Walked
from backfill.key import Key
from backfill.rows.chosen import among
from backfill.rows.images import Image
from backfill.rows.lookup import look_up
from backfill.rows.walk import Span, Walk


class Reader:
    """Reads what `bound` wants to see of the rows that `where` takes, in the order of the walk."""

    def __init__(
        self,
        database: Database,
        walked: Walked,
        where: Condition,
        walk: Walk,
        bound: Bound,
        sorting: Sequence[ColumnElement[Any]],
    ) -> None:
        self._database = database
        self._dialect = database.dialect
        self._table = walked.table
        self._keys = [database.dialect.walked(walked.table.c[name]) for name in walked.key]
        self._where = where
        self._walk = walk
        self._bound = bound
        self._sorting = sorting
        """The order within a group."""
        self._sort_out = _sorter(len(self._keys), bound.fetches or ())
        self._locked = lru_cache(self._select_locked)
        self.pass_over(())
        deletes = any(shape.is_own for shape in bound.shapes or ())
        self._must_fix = bound.fixes_rows or (deletes and has_subquery(where))
        self._must_hold = self._must_fix or bound.looks_elsewhere or has_subquery(where)

    def pass_over(self, keys: Sequence[Key]) -> None:
        """Leave the rows of these keys out of the batches that come, until others are named."""
        self._passed = [~taken for taken in among(self._database, self._keys, keys)]
        self._narrowed = lru_cache(lambda span: and_(span, *self._passed, self._where))

    def span(self, batch: Batch) -> Span:
        """The batch's rows that `where` takes, by parameters."""
        span = self._walk.span(batch.after, batch.upto)
        return Span(self._narrowed(span.condition), span.values)

    def _within(self, batch: Batch) -> Condition:
        """The batch's rows, whether `where` takes them or not."""
        return and_(self._walk.between(batch.after, batch.upto), *self._passed)

    def _taken(self, batch: Batch) -> Condition:
        """The batch's rows that `where` takes."""
        return and_(self._within(batch), self._where)

    def select(self, batch: Batch, *columns: ColumnElement[Any], where: Condition | None = None) -> Select[Any]:
        """A select of the keys and `columns` of the batch's rows that `where` takes."""
        statement = select(*self._keys, *columns).where(self._within(batch))
        return statement.where(self._where if where is None else where)

    def read(self, batch: Batch) -> Reading:
        """Lock the batch's rows that `where` takes, and give those that the transform wants to see."""
        if self._bound.fetches is None:
            return self._lock_in_place(batch)
        if not self._walk.is_grouped:
            span = self.span(batch)
            found = self._database.connection.execute(self._locked(span.condition), span.values)
            return Reading(self._with_lookups(self._taken(batch), self._rows(found)))
        held = {tuple(row) for row in self._execute(self._dialect.lock(self.select(batch)))}
        return Reading(self._with_lookups(self._taken(batch), [row for row in self._grouped(batch) if row[0] in held]))

    def _select_locked(self, span: Condition) -> Select[Any]:
        return self._dialect.lock(select(*self._keys, *self._fetched()).where(span).order_by(*self._walk.ordering()))

    def read_unlocked(self, batch: Batch) -> Reading:
        """The same without locks, to look at what would become of the rows."""
        if self._bound.fetches is None:
            return Reading()
        if self._walk.is_grouped:
            return Reading(self._with_lookups(self._taken(batch), self._grouped(batch)))
        found = self.select(batch, *self._fetched()).order_by(*self._walk.ordering())
        return Reading(self._with_lookups(self._taken(batch), self._rows(self._execute(found))))

    def recall(self, image: Image, made: Condition, before: Mapping[str, ColumnElement[Any]]) -> Reading:
        """The rows of some images as they were before; columns that were not written are taken as they are now."""
        columns = [before.get(name, self._table.c[name]).label(name) for name in self._bound.fetches or ()]
        is_meant = and_(image.is_of(self._table), made)
        found = select(*self._keys, *columns).where(is_meant).order_by(*self._walk.ordering())
        rows = self._rows(self._execute(found))
        return Reading(self._with_lookups(exists(select(literal(1)).where(is_meant).correlate(self._table)), rows))

    def _lock_in_place(self, batch: Batch) -> Reading:
        """Rows that stay in the database are locked before they are evaluated, unless one UPDATE does both."""
        if not self._must_hold:
            return Reading()
        if not self._must_fix:
            self._dialect.hold(self._database.connection, self.select(batch))
            return Reading()
        keys = [tuple(row) for row in self._execute(self._dialect.lock(self.select(batch)))]
        return Reading(keys=keys, columns=self._fixed(keys) if self._bound.performs and keys else None)

    def _fixed(self, keys: Sequence[Key]) -> NamedFromClause:
        """The rows of these keys as a table of their own."""
        taken = or_(*among(self._database, self._keys, keys))
        return select(self._table).where(taken).subquery(self._table.name)

    def _fetched(self) -> list[ColumnElement[Any]]:
        return [self._table.c[name] for name in self._bound.fetches or ()]

    def _rows(self, found: Any) -> list[Row]:
        return self._sort_out(found.all())

    def _grouped(self, batch: Batch) -> list[Row]:
        """Whole groups, numbered by the database; within a group in the order that was asked for, then by key."""
        order = self._walk.ordering()
        number = func.dense_rank().over(order_by=order) if order else literal_column("1")
        statement = self.select(batch, *self._fetched(), number).order_by(*order, *self._sorting, *self._keys)
        width, names = len(self._keys), self._bound.fetches or ()
        return [
            (row[:width], dict(zip(names, row[width:-1], strict=True)), row[-1]) for row in self._execute(statement)
        ]

    def _with_lookups(self, scope: Condition, rows: list[Row]) -> list[Row]:
        if not (self._bound.lookups and rows):
            return rows
        found = [look_up(self._database, lookup, self._table, self._keys, scope) for lookup in self._bound.lookups]
        return [(key, {**values, **{name: of(key) for name, of in found}}, group) for key, values, group in rows]

    def _execute(self, statement: Any) -> Any:
        return self._database.connection.execute(statement)


def _sorter(width: int, names: Sequence[str]) -> Callable[[Sequence[Any]], list[Row]]:
    """What tells the key and the named values of each row apart; the key is the first `width` values.

    It is compiled for its columns, as `collections.namedtuple` does it: to zip names and values takes four times as
    long, and every row passes here.
    """
    key = "".join(f"row[{place}], " for place in range(width))
    values = ", ".join(f"{name!r}: row[{place}]" for place, name in enumerate(names, width))
    made: Callable[[Sequence[Any]], list[Row]]
    made = eval(f"lambda rows: [(({key}), {{{values}}}, 0) for row in rows]", {})  # noqa: S307  # of names, by repr
    return made
