"""PostgreSQL: rows travel as JSON, one array a column, which the server takes apart in step and reads by its types.

Many rows are copied into a temporary table instead, where the driver can: that takes the server a fifth less time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import starmap
from math import isfinite
from types import NoneType
from typing import Any
from uuid import UUID

from pydantic_core import to_json, to_jsonable_python
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Numeric,
    String,
    Subquery,
    Table,
    case,
    cast,
    column,
    func,
    literal,
    null,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import UserDefinedType

from backfill.declaration.values import has_no_zone, plain
from backfill.declaration.writes import Recordset

FEWEST_TO_COPY = 2_000
"""Rows for which a table of their own is worth its making."""

_KIND, _TYPE, _COPIES = "backfill_kind", "backfill_type", "backfill_copies"
"""What is noted in the `info` of a column and of a table."""

_STAGE = "pg_temp.backfill_rows"

_COPIED_AS_TEXT = frozenset({NoneType, str, int})
_COPIED = _COPIED_AS_TEXT | {bool, float, Decimal, UUID, date, datetime, time}
"""Python types that the driver writes for COPY as JSON writes them, into a column of text and into any other."""

_TYPES = """
    SELECT a.attname, format_type(a.atttypid, -1) AS type_name,
           CASE WHEN t.oid IN ('json'::regtype, 'jsonb'::regtype) THEN 'document'
                WHEN t.oid = 'uuid'::regtype OR t.typcategory IN ('B', 'D', 'E', 'I', 'N', 'S', 'T', 'V') THEN 'text'
                WHEN e.oid = 'uuid'::regtype OR e.typcategory IN ('B', 'D', 'E', 'I', 'N', 'S', 'T', 'V') THEN 'array'
           END AS kind, has_database_privilege(current_database(), 'TEMPORARY') AS may_stage
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
     WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
"""
"""The categories are Boolean, Date and time, Enum, Inet, Number, String, Timespan and bit (V), as the manual lists them
under `pg_type`: they read from text what JSON writes. For other types (bytes, ranges, composites) there is no kind.
"""


class _Named(UserDefinedType[Any]):
    """A type by the server's own name for it, without a length: a cast to one would cut values off in silence."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        """The name."""
        return self.name


def note_types(connection: Connection, walked: Table, name: str) -> None:
    """Note how values can travel into each column; `name` is the table's, quoted."""
    for column_name, type_name, kind, may_stage in connection.execute(text(_TYPES), {"table": name}):
        walked.info[_COPIES] = connection.dialect.driver == "psycopg" and may_stage
        if column_name in walked.c:
            walked.c[column_name].info.update({_KIND: kind, _TYPE: type_name})


def travels(columns: Sequence[Column[Any]], rows: Recordset) -> bool:
    """Whether JSON carries every value exactly: of most types it does, of floats only those that are numbers."""
    if any(column.info.get(_KIND) is None for column in columns):
        return False
    if not any(isinstance(column.type, Float | Numeric) for column in columns):
        return True
    return all(isfinite(value) for _, values in rows.rows for value in values if isinstance(value, float))


@contextmanager
def arrived(connection: Connection, columns: Sequence[Column[Any]], rows: Recordset) -> Iterator[FromClause]:
    """The rows as a table of these columns, for one statement."""
    values = [*zip(*(key + values for key, values in rows.rows), strict=True)]
    taken = [(column, _prepared(column, each)) for column, each in zip(columns, values, strict=True)]
    if len(rows.rows) < FEWEST_TO_COPY or not (columns[0].table.info[_COPIES] and all(starmap(_copies, taken))):
        yield _recordset(taken)
        return
    with _staged(connection, columns, zip(*starmap(_written, taken), strict=True)) as stage:
        yield stage


def _prepared(column: Column[Any], values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column, where JSON writes them otherwise than its type reads them."""
    if column.info[_KIND] == "array":
        return [None if value is None else _array(to_jsonable_python(value)) for value in values]
    if has_no_zone(column):  # a cast would drop a moment's zone instead of converting it
        return [plain(value, column) for value in values]
    if isinstance(column.type, INTERVAL):
        return [_interval(value) for value in values]
    return values


def _interval(value: Any) -> Any:
    """A negative span, too, which JSON writes in a way that the server does not read."""
    if not isinstance(value, timedelta):
        return value
    return f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds"


def _array(value: Any) -> str:
    """As the server reads an array; see PostgreSQL's manual, "Array Value Input"."""
    if isinstance(value, list):
        return "{" + ",".join(map(_array, value)) + "}"
    if value is None:
        return "NULL"
    written = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{written}"'


# ── JSON ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _recordset(taken: Sequence[tuple[Column[Any], Sequence[Any]]]) -> Subquery:
    arrays = (_elements(column, values).label(f"element_{n}") for n, (column, values) in enumerate(taken))
    elements = select(*arrays).subquery("elements")
    read = [_read(column, element).label(column.name) for (column, _), element in zip(taken, elements.c, strict=True)]
    return select(*read).subquery("recordset")


def _elements(column: Column[Any], values: Sequence[Any]) -> ColumnElement[Any]:
    take = func.json_array_elements if column.info[_KIND] == "document" else func.json_array_elements_text
    return take(cast(literal(to_json(values).decode(), String), JSON))


def _read(column: Column[Any], element: ColumnElement[Any]) -> ColumnElement[Any]:
    """An element as the column's type reads it; JSON null is NULL."""
    value = cast(element, _Named(column.info[_TYPE]))
    if column.info[_KIND] == "document":
        return case((func.json_typeof(element) == "null", null()), else_=value)
    return value


# ── COPY ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _copies(column: Column[Any], values: Sequence[Any]) -> bool:
    """Whether the driver writes the values as JSON would."""
    if column.info[_KIND] != "text":
        return True
    return set(map(type, values)) <= (_COPIED_AS_TEXT if isinstance(column.type, String) else _COPIED)


def _written(column: Column[Any], values: Sequence[Any]) -> Sequence[Any]:
    """The values as the driver takes them: documents as the text that they are."""
    if column.info[_KIND] != "document":
        return values
    return [None if value is None else to_json(value).decode() for value in values]


@contextmanager
def _staged(
    connection: Connection, columns: Sequence[Column[Any]], rows: Iterable[tuple[Any, ...]]
) -> Iterator[FromClause]:
    """The rows in a temporary table with the columns' own types; it is gone before the batch ends."""
    preparer = connection.dialect.identifier_preparer
    names = ", ".join(preparer.quote(each.name) for each in columns)
    shape = f"SELECT {names} FROM {preparer.format_table(columns[0].table)} WITH NO DATA"  # noqa: S608  # quoted names
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {_STAGE} ON COMMIT DROP AS {shape}")
    _copy(connection, f"COPY {_STAGE} FROM STDIN", rows)
    yield table("backfill_rows", *(column(c.name, c.type) for c in columns), schema="pg_temp")
    connection.exec_driver_sql(f"DROP TABLE {_STAGE}")


def _copy(connection: Connection, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
    driver: Any = connection.connection.driver_connection
    base = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except base as error:
        raise DBAPIError.instance(statement, None, error, base, hide_parameters=True) from None
