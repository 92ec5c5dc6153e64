"""PostgreSQL: rows travel as JSON, one array a column, which the server takes apart in step and reads by its types."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from pydantic_core import to_json, to_jsonable_python
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Float,
    Numeric,
    String,
    Subquery,
    Table,
    case,
    cast,
    func,
    literal,
    null,
    select,
    text,
)
from sqlalchemy.types import UserDefinedType

from backfill.declaration.values import has_no_zone, plain
from backfill.declaration.writes import Recordset

_KIND, _TYPE = "backfill_kind", "backfill_type"
"""What is noted in a column's `info`."""

_TYPES = """
    SELECT a.attname, format_type(a.atttypid, -1) AS type_name,
           CASE WHEN t.oid IN ('json'::regtype, 'jsonb'::regtype) THEN 'document'
                WHEN t.oid = 'uuid'::regtype OR t.typcategory IN ('B', 'D', 'E', 'I', 'N', 'S', 'T', 'V') THEN 'text'
                WHEN e.oid = 'uuid'::regtype OR e.typcategory IN ('B', 'D', 'E', 'I', 'N', 'S', 'T', 'V') THEN 'array'
           END AS kind
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


def note_types(connection: Connection, table: Table, name: str) -> None:
    """Note of each column how its values can travel; `name` is the table's, quoted."""
    for column_name, type_name, kind in connection.execute(text(_TYPES), {"table": name}):
        if column_name in table.c:
            table.c[column_name].info.update({_KIND: kind, _TYPE: type_name})


def travels(columns: Sequence[Column[Any]], rows: Recordset) -> bool:
    """Whether JSON carries every value exactly: of most types it does, of floats only those that are numbers."""
    if any(column.info.get(_KIND) is None for column in columns):
        return False
    if not any(isinstance(column.type, Float | Numeric) for column in columns):
        return True
    return all(isfinite(value) for _, values in rows.rows for value in values if isinstance(value, float))


def recordset(columns: Sequence[Column[Any]], rows: Recordset) -> Subquery:
    """The rows as a table of these columns."""
    values = zip(*(key + values for key, values in rows.rows), strict=True)
    taken = [_elements(column, _prepared(column, each)) for column, each in zip(columns, values, strict=True)]
    elements = select(*(each.label(f"element_{n}") for n, each in enumerate(taken))).subquery("elements")
    read = [_read(column, element).label(column.name) for column, element in zip(columns, elements.c, strict=True)]
    return select(*read).subquery("recordset")


def _prepared(column: Column[Any], values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column, where JSON writes them otherwise than its type reads them."""
    if column.info[_KIND] == "array":
        return [None if value is None else _array(to_jsonable_python(value)) for value in values]
    if has_no_zone(column):  # a cast would drop a moment's zone instead of converting it
        return [plain(value, column) for value in values]
    return values


def _array(value: Any) -> str:
    """As the server reads an array; see PostgreSQL's manual, "Array Value Input"."""
    if isinstance(value, list):
        return "{" + ",".join(map(_array, value)) + "}"
    if value is None:
        return "NULL"
    written = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{written}"'


def _elements(column: Column[Any], values: Sequence[Any]) -> ColumnElement[Any]:
    take = func.json_array_elements if column.info[_KIND] == "document" else func.json_array_elements_text
    return take(cast(literal(to_json(values).decode(), String), JSON))


def _read(column: Column[Any], element: ColumnElement[Any]) -> ColumnElement[Any]:
    """An element as the column's type reads it; JSON null is NULL."""
    value = cast(element, _Named(column.info[_TYPE]))
    if column.info[_KIND] == "document":
        return case((func.json_typeof(element) == "null", null()), else_=value)
    return value
