"""MariaDB: rows travel as one JSON document, which JSON_TABLE takes apart, to an UPDATE that joins it.

Values arrive as text of any length, and the assignment reads them as it reads a literal: so what does not fit is an
error, and nothing is cut or rounded on the way. Only keys arrive with a type, since an index is looked up by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from types import NoneType
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import (
    CHAR,
    JSON,
    VARCHAR,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    Numeric,
    String,
    Table,
    Time,
    text,
)
from sqlalchemy import Dialect as Driver
from sqlalchemy.dialects.mysql import MEDIUMTEXT, SET, TEXT, TINYTEXT

from backfill.declaration.writes import Recordset, Shape
from backfill.dialect import Dialect
from backfill.dialects.recordsets.binding import bound

_COLLATION, _PACKET = "backfill_collation", "backfill_max_allowed_packet"
"""What is noted in the `info` of a column and of a connection."""

_STATEMENT_BYTES = 100_000
"""More than all that stands around a document."""

_TEXT = "LONGTEXT CHARACTER SET utf8mb4"
"""As what a value arrives."""

_TEXT_BYTES = {TINYTEXT: 2**8 - 1, TEXT: 2**16 - 1, MEDIUMTEXT: 2**24 - 1}
"""How long a text may be. What a join writes goes through a table of the server's own, in which each of these types is
as long as the longest: from there a longer text would be cut without an error.
"""

_CHARACTER_BYTES = 4
"""The longest that a character is in any character set."""

_OLDEST = (10, 6)
"""The first MariaDB with JSON_TABLE."""

_PLACEHOLDERS = {"format": "%s", "pyformat": "%(document)s"}
"""By the style of the driver."""

_COLLATIONS = """
    SELECT column_name, character_set_name, collation_name FROM information_schema.columns
     WHERE table_schema = coalesce(:schema, database()) AND table_name = :name AND collation_name IS NOT NULL
"""

Way = tuple[tuple[type, ...], dict[type, Callable[[Any], Any] | None]]

_WAYS: tuple[Way, ...] = (
    ((SET,), {}),
    ((String, JSON), {str: None}),
    ((Integer,), {int: None, bool: int}),
    ((Float,), {float: repr, int: None}),
    ((Numeric,), {Decimal: str, int: None}),
    ((DateTime,), {datetime: str}),
    ((Date,), {date: str}),
    ((Time,), {time: str}),
)
"""For types of columns: the Python types of which JSON carries each value exactly, and how it is written where not as
it is. Other types, and other values, take the exact path: bytes, bits, sets, years, spans, points and addresses."""


def note_collations(connection: Connection, table: Table) -> None:
    """Note how each column of text compares."""
    parameters = {"schema": table.schema, "name": table.name}
    for name, character_set, collation in connection.execute(text(_COLLATIONS), parameters):
        if name in table.c:
            table.c[name].info[_COLLATION] = f"CHARACTER SET {character_set} COLLATE {collation}"


def takes_documents(connection: Connection) -> bool:
    """Whether statements can be sent in this way. MySQL 8 has a JSON_TABLE too, on which this is not tried."""
    driver: Any = connection.dialect
    return (
        bool(getattr(driver, "is_mariadb", False))
        and driver.server_version_info >= _OLDEST
        and driver.paramstyle in _PLACEHOLDERS
        and not connection.get_execution_options().get("schema_translate_map")
    )


def most_bytes(connection: Connection) -> int:
    """How long a document may be: in the statement each of its characters may be escaped."""
    if _PACKET not in connection.info:
        connection.info[_PACKET] = connection.exec_driver_sql("SELECT @@max_allowed_packet").scalar_one()
    return int(connection.info[_PACKET]) // 2 - _STATEMENT_BYTES


def document(ours: Dialect, connection: Connection, table: Table, shape: Shape, rows: Recordset) -> str | None:
    """The rows as JSON, an array for each; None where it would not carry them exactly."""
    columns = [table.c[name] for name in (*shape.match, *shape.columns)]
    if not (shape.is_own and all(map(_key_type, columns[: len(shape.match)]))):
        return None
    values = zip((c.type for c in columns), ours.storable_columns(table, shape, rows), strict=True)
    taken = bound(connection.dialect, values, f"UPDATE {table.name}")
    written = [_written(column, each) for column, each in zip(columns, taken, strict=True)]
    if any(each is None for each in written):
        return None
    try:
        return to_json([*zip(*written, strict=True)]).decode()
    except PydanticSerializationError:  # half a character
        return None


def update_from(connection: Connection, table: Table, shape: Shape, document: str) -> int:
    """Update the rows of a document; gives how many were found."""
    statement = _joining(connection.dialect, table, shape)
    named = connection.dialect.paramstyle == "pyformat"
    return connection.exec_driver_sql(statement, {"document": document} if named else (document,)).rowcount


@lru_cache(maxsize=32)
def _joining(driver: Driver, table: Table, shape: Shape) -> str:
    """Each row of the document looks its own up, whatever the statistics say."""
    quote = driver.identifier_preparer.quote
    mark = _PLACEHOLDERS[driver.paramstyle]
    keys = [f"key_{n} {_key_type(table.c[name])} {_path(n)}" for n, name in enumerate(shape.match)]
    values = [f"value_{n} {_TEXT} {_path(n + len(keys))}" for n in range(len(shape.columns))]
    columns = ", ".join(keys + values)
    meets = " AND ".join(f"target.{quote(name)} = given.key_{n}" for n, name in enumerate(shape.match))
    assigned = ", ".join(f"target.{quote(name)} = given.value_{n}" for n, name in enumerate(shape.columns))
    return (
        f"UPDATE JSON_TABLE({mark}, '$[*]' COLUMNS ({columns})) AS given "  # noqa: S608  # quoted names
        f"STRAIGHT_JOIN {driver.identifier_preparer.format_table(table)} AS target ON {meets} "
        f"SET {assigned}"
    )


def _path(place: int) -> str:
    return f"PATH '$[{place}]' ERROR ON EMPTY ERROR ON ERROR"


def _key_type(column: Column[Any]) -> str:
    """The type in which a key arrives, so that it is compared as a literal would be; empty where there is none."""
    if isinstance(column.type, Integer):
        return "BIGINT UNSIGNED" if getattr(column.type, "unsigned", False) else "BIGINT"
    if isinstance(column.type, VARCHAR | CHAR) and _COLLATION in column.info:
        return f"VARCHAR({column.type.length}) {column.info[_COLLATION]}"
    return ""


def _written(column: Column[Any], values: Sequence[Any]) -> Sequence[Any] | None:
    """A column's values as JSON carries them; None where it does not carry each exactly."""
    ways = next((ways for types, ways in _WAYS if isinstance(column.type, types)), {})
    kinds = set(map(type, values)) - {NoneType}
    if not kinds <= ways.keys() or not _all_fit(column.type, kinds, values):
        return None
    if not any(ways[kind] for kind in kinds):
        return values
    return [value if (write := ways.get(type(value))) is None else write(value) for value in values]


def _all_fit(kind: Any, kinds: Set[type], values: Sequence[Any]) -> bool:
    """Whether no value is one that only the exact path refuses as it should."""
    present = (value for value in values if value is not None)
    if kinds & {float, Decimal}:
        return all(map(isfinite, present))
    most = _TEXT_BYTES.get(type(kind))
    return most is None or max(map(len, present), default=0) * _CHARACTER_BYTES <= most
