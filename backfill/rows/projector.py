"""Projector: makes the writes of one batch whose values never leave the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql.dml import Delete, Insert, Update

from backfill.batch import Tally
from backfill.database import Database
from backfill.declaration.adaptation import narrowed
from backfill.declaration.aggregation import has_window
from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Projection, Relation, Shape, Verb, Write
from backfill.rows.insertion import (
    PLACE,
    equal_or_both_null,
    insert_all_rows,
    insert_missing_rows,
    keeps_places,
    literal_columns,
    numbered,
)
from backfill.rows.journal import UNKEPT, Record, Taken
from backfill.rows.tables import Tables
from backfill.rows.walk import Span, Walk


@dataclass(frozen=True)
class Effect:
    """One statement of a write, and which rows it is about."""

    statement: Insert | Update | Delete
    verb: Verb
    table: Table
    columns: tuple[str, ...] = ()
    taken: Condition = field(default_factory=false)
    """Of an INSERT none: its rows are not there yet."""

    def make(self, database: Database, record: Record, parameters: Sequence[Mapping[str, Any]] | None) -> int:
        """Ask the database for it; gives how many rows it found, or inserted."""
        if isinstance(self.statement, Insert):
            return record.insert(database, self.table, self.statement, parameters)
        taken = Taken(self.verb, self.table, self.columns, [self.taken], parameters)
        return record.change(lambda: taken, lambda: database.change(self.statement, parameters))


class Projector:
    """Makes writes as statements over the rows of the walked table that a condition takes."""

    def __init__(
        self, database: Database, tables: Tables, walked: Table, keys: Sequence[ColumnElement[Any]], walk: Walk
    ) -> None:
        self._database = database
        self._dialect = database.dialect
        self._tables = tables
        self._walked = walked
        self._keys = keys
        self._walk = walk
        self._kept = lru_cache(self.effects)

    def write(self, write: Write, span: Span, record: Record = UNKEPT, *, only_changes: bool = False) -> Tally:
        """Make one write on the rows of a span, or on those of them that would change."""
        effects = (self._kept if span.values else self.effects)(write, span.condition, only_changes)
        parameters = [span.values] if span.values else None
        counts = [effect.make(self._database, record, parameters) for effect in effects]
        match write.shape.verb:
            case Verb.UPDATE:
                return Tally(updated=sum(counts))
            case Verb.DELETE:
                return Tally(deleted=sum(counts))
        return Tally(inserted=counts[-1], updated=sum(counts[:-1]))

    def effects(self, write: Write, scope: Condition, only_changes: bool = False) -> list[Effect]:
        """What the database is asked to do: of an upsert first to update, then to insert."""
        shape, projection = write.shape, write.relation
        assert isinstance(projection, Projection), "rows that came from Python are the writer's"
        match shape.verb:
            case Verb.INSERT:
                return self._insert(shape, projection, scope, only_changes)
            case Verb.DELETE if shape.is_own:
                return [Effect(delete(self._walked).where(scope), Verb.DELETE, self._walked, taken=scope)]
            case Verb.DELETE:
                table = self._tables.find(shape.table)
                is_met = self._is_met(table, shape, projection, scope)
                return [Effect(delete(table).where(is_met), Verb.DELETE, table, taken=is_met)]
        if shape.is_own:
            return [self._update_own(projection, scope, only_changes)]
        return [self._update_met(shape, projection, scope, only_changes)]

    def differs(self, projection: Projection) -> Condition:
        """Whether the projection would change a walked row."""
        pairs = ((self._walked.c[name], value) for name, value in self._values(self._walked, projection.values).items())
        return or_(*(self._dialect.differs(column, _typed(value, column)) for column, value in pairs))

    # ── rows of the batch ───────────────────────────────────────────────────────────────────────────────────────

    def _update_own(self, projection: Projection, scope: Condition, only_changes: bool) -> Effect:
        return Effect(
            self._updating_own(projection, scope, only_changes),
            Verb.UPDATE,
            self._walked,
            tuple(projection.values),
            scope,
        )

    def _updating_own(self, projection: Projection, scope: Condition, only_changes: bool) -> Update:
        if has_windows(projection):
            return self._update_from(projection, scope, only_changes)
        statement = update(self._walked).where(scope).values(self._values(self._walked, projection.values))
        return statement.where(self.differs(projection)) if only_changes else statement

    def _update_from(self, projection: Projection, scope: Condition, only_changes: bool) -> Update:
        """Window functions may not stand in an UPDATE, so they are computed beside it."""
        values = literal_columns(self._dialect, self._walked, projection.values)
        keys = [key.label(f"backfill_key_{n}") for n, key in enumerate(self._keys)]
        rows = select(*keys, *values).where(scope).subquery("computed")
        given = {name: rows.c[name] for name in projection.values}
        is_same = [key == rows.c[f"backfill_key_{n}"] for n, key in enumerate(self._keys)]
        statement = update(self._walked).where(*is_same).values(given)
        if only_changes:
            differs = (self._dialect.differs(self._walked.c[name], value) for name, value in given.items())
            statement = statement.where(or_(*differs))
        return statement

    # ── rows of other tables ────────────────────────────────────────────────────────────────────────────────────

    def _update_met(self, shape: Shape, projection: Projection, scope: Condition, only_changes: bool) -> Effect:
        table = self._tables.find(shape.table)
        is_met = self._is_met(table, shape, projection, scope)
        met = self._meeting(table, projection, scope)
        values: dict[str, Any] = {}
        for name, value in self._values(table, projection.values).items():
            is_expression = isinstance(value, ColumnElement)
            values[name] = self._source(value, met).scalar_subquery() if is_expression else value
        statement = update(table).where(is_met).values(values)
        if only_changes:
            differs = (
                self._dialect.differs(table.c[name], _typed(value, table.c[name])) for name, value in values.items()
            )
            statement = statement.where(or_(*differs))
        return Effect(statement, Verb.UPDATE, table, tuple(values), is_met)

    def _is_met(self, table: Table, shape: Shape, projection: Projection, scope: Condition) -> Condition:
        """Whether a row of another table is one that a row in scope speaks of."""
        meeting = self._meeting(table, projection, scope)
        return exists(self._source(literal(1), meeting).correlate(table)) & _all_absent(table, shape)

    def _meeting(self, table: Table, projection: Projection, scope: Condition) -> list[Condition]:
        matched = self._values(table, projection.matched or {})
        return [scope, *(table.c[name] == value for name, value in matched.items())]

    def _source(self, value: Any, meeting: list[Condition]) -> Select[Any]:
        return select(value).select_from(self._walked).where(*meeting)

    def _insert(self, shape: Shape, projection: Projection, scope: Condition, only_changes: bool) -> list[Effect]:
        table = self._tables.find(shape.table)
        if not shape.match:
            source = self._selected(table, projection, scope)
            return [Effect(insert_all_rows(self._dialect, table, shape, source), Verb.INSERT, table)]
        place = func.row_number().over(order_by=self._walk.ordering()).label(PLACE)
        rows = numbered(self._selected(table, projection, scope, place), shape)
        effects = [Effect(insert_missing_rows(self._dialect, table, shape, rows), Verb.INSERT, table)]
        if shape.refresh:
            effects.insert(0, self._refresh(table, shape, rows, only_changes))
        return effects

    def _selected(self, table: Table, projection: Projection, scope: Condition, *besides: Any) -> Select[Any]:
        """The rows to insert, and what else is asked of the walked rows that they come from, where that can be."""
        if projection.source is None:
            values = literal_columns(self._dialect, table, projection.values)
            return select(*values, *besides).select_from(self._walked).where(scope)
        statement = projection.source
        if keeps_places(statement, self._walked):
            statement = statement.add_columns(*besides)
        return narrowed(statement, self._walked, scope)

    def _refresh(self, table: Table, shape: Shape, rows: Any, only_changes: bool) -> Effect:
        given = {name: rows.c[name] for name in shape.refresh}
        is_there = [equal_or_both_null(table.c[name], rows.c[name]) for name in shape.match]
        statement = update(table).where(*is_there, rows.c.backfill_nth == 1).values(given)
        if only_changes:
            statement = statement.where(
                or_(*(self._dialect.differs(table.c[name], value) for name, value in given.items()))
            )
        is_met = exists(
            select(literal(1)).select_from(rows).where(*is_there, rows.c.backfill_nth == 1).correlate(table)
        )
        return Effect(statement, Verb.UPDATE, table, shape.refresh, is_met)

    def _values(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: value if isinstance(value, ColumnElement) else self._dialect.storable(table.c[name], value)
            for name, value in values.items()
        }


def has_windows(relation: Relation) -> bool:
    """Whether a value is computed by a window function, which may not stand in an UPDATE nor in a condition."""
    values = relation.values.values() if isinstance(relation, Projection) else ()
    return any(has_window(value) for value in values if isinstance(value, ColumnElement))


def _all_absent(table: Table, shape: Shape) -> Condition:
    return and_(true(), *(table.c[name].is_(None) for name in shape.absent))


def _typed(value: Any, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return value if isinstance(value, ColumnElement) else literal(value, column.type)
