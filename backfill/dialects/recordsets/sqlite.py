"""SQLite: rows travel as tuples to one statement, which the driver makes for each of them in turn.

SQLAlchemy would make a dictionary of parameters for each row and look every value up in it, which takes longer than
all that SQLite does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Connection, Table
from sqlalchemy import Dialect as Driver
from sqlalchemy.types import TypeEngine

from backfill.declaration.writes import Recordset, Shape
from backfill.dialect import Dialect
from backfill.dialects.recordsets.binding import bound
from backfill.parameters import key_parameter, value_parameter

Place = tuple[int, "TypeEngine[object]"]
"""Of a parameter: which of the columns it is, of those matched by and those given; and the type that binds it."""


def update_in_turn(ours: Dialect, connection: Connection, table: Table, shape: Shape, rows: Recordset) -> int | None:
    """Update row after row; gives how many were found, or None where only SQLAlchemy can make the statement."""
    statement, places = _prepare(ours, connection.dialect, table, shape)
    if places is None:
        return None
    columns = ours.storable_columns(table, shape, rows)
    taken = bound(connection.dialect, ((kind, columns[place]) for place, kind in places), statement)
    return connection.exec_driver_sql(statement, [*zip(*taken, strict=True)]).rowcount


@lru_cache(maxsize=32)
def _prepare(ours: Dialect, driver: Driver, table: Table, shape: Shape) -> tuple[str, Sequence[Place] | None]:
    """The UPDATE of one row; without places where the engine was told to name parameters."""
    compiled = ours.update_by_match(table, shape).compile(dialect=driver)
    names = [*map(key_parameter, range(len(shape.match))), *map(value_parameter, range(len(shape.columns)))]
    if compiled.positiontup is None:
        return str(compiled), None
    return str(compiled), [(names.index(name), compiled.binds[name].type) for name in compiled.positiontup]
