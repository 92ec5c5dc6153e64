"""Insertion: statements that insert rows unless they are there already, known by the columns they are matched by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Table, and_, bindparam, exists, func, literal, or_, select
from sqlalchemy.sql.dml import Insert

from backfill.declaration.adaptation import selects_from
from backfill.declaration.aggregation import is_distinct
from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Shape
from backfill.dialect import Dialect
from backfill.parameters import key_parameter, value_parameter
from backfill.rows.tables import unique_columns


def insert_missing_row(dialect: Dialect, table: Table, shape: Shape) -> Insert:
    """INSERT of one row by parameters, unless one is there that matches."""
    given = [
        dialect.given(table.c[name], bindparam(value_parameter(n), type_=table.c[name].type)).label(name)
        for n, name in enumerate(shape.columns)
    ]
    is_there = [
        table.c[name] == bindparam(key_parameter(n), type_=table.c[name].type) for n, name in enumerate(shape.match)
    ]
    is_there += [table.c[name].is_(None) for name in shape.absent]
    return _inserting(dialect, table, shape, select(*given).where(~_exists(table, is_there)))


def insert_missing_rows(dialect: Dialect, table: Table, shape: Shape, rows: FromClause) -> Insert:
    """INSERT of the rows of a subquery, each unless one is there that matches; of equal ones the first."""
    columns = [rows.c[name] for name in shape.columns]
    is_there = [equal_or_both_null(table.c[name], rows.c[name]) for name in shape.match]
    missing = select(*columns).where(rows.c[NTH] == 1, ~_exists(table, is_there))
    return _inserting(dialect, table, shape, missing)


def numbered(source: Select[Any], shape: Shape) -> FromClause:
    """A select as a subquery that numbers rows which match each other: a statement sees none of its own rows.

    The first of the walk is the one that counts, with what it refreshes from the last of it: as if each had come in a
    batch of its own.
    """
    rows = source.subquery("given")
    match = [rows.c[name] for name in shape.match]
    place = rows.c.get(PLACE)
    nth = func.row_number().over(partition_by=match, order_by=match if place is None else place).label(NTH)
    latest = shape.refresh if place is not None else ()
    columns = [_last(rows.c[name], match, place) if name in latest else rows.c[name] for name in shape.columns]
    return select(*columns, nth).subquery("numbered")


def _last(column: ColumnElement[Any], match: Sequence[ColumnElement[Any]], place: Any) -> ColumnElement[Any]:
    """The column's value in the last row of those that match each other."""
    value = func.first_value(column, type_=column.type).over(partition_by=match, order_by=place.desc())
    return value.label(column.key)


def keeps_places(source: Select[Any], walked: Table) -> bool:
    """Whether each row of a select comes from one walked row, whose place in the walk can be asked for."""
    return not is_distinct(source) and selects_from(source, walked)


def insert_all_rows(dialect: Dialect, table: Table, shape: Shape, source: Select[Any]) -> Insert:
    """INSERT of all rows of a select."""
    return dialect.insert(table).from_select(list(shape.columns), source)


def literal_columns(dialect: Dialect, table: Table, values: Mapping[str, Any]) -> list[ColumnElement[Any]]:
    """Expressions and plain values as the columns of a select whose rows go into `table`."""
    return [_as_column(dialect, table, name, value).label(name) for name, value in values.items()]


def equal_or_both_null(column: ColumnElement[Any], other: ColumnElement[Any]) -> Condition:
    """Equality in which NULL equals NULL, in a form for which every database uses an index."""
    if not getattr(column, "nullable", True):
        return column == other
    return or_(column == other, and_(column.is_(None), other.is_(None)))


NTH = "backfill_nth"
"""Among rows that match each other."""

PLACE = "backfill_place"
"""In the walk."""


def _as_column(dialect: Dialect, table: Table, name: str, value: Any) -> ColumnElement[Any]:
    if isinstance(value, ColumnElement):
        return value
    column = table.c[name]
    return dialect.given(column, literal(dialect.storable(column, value), column.type))


def _exists(table: Table, conditions: list[Condition]) -> Any:
    return exists(select(literal(1)).select_from(table).where(*conditions))


def _inserting(dialect: Dialect, table: Table, shape: Shape, source: Select[Any]) -> Insert:
    statement = dialect.insert(table).from_select(list(shape.columns), source)
    return dialect.skip_conflicts(statement, shape.match) if is_held_unique(table, shape) else statement


def is_held_unique(table: Table, shape: Shape) -> bool:
    """Whether the database itself lets no second row with this match in, as far as it holds no NULL."""
    return not shape.absent and any(set(columns) == set(shape.match) for columns in unique_columns(table))
