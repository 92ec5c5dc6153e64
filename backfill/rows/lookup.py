"""Look-ups of a batch: one select for all of its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, select

from backfill.database import Database
from backfill.declaration.conditions import Condition
from backfill.declaration.lookups import BoundLookup
from backfill.errors import RowRejected
from backfill.key import Key, printable_key


def look_up(
    database: Database, lookup: BoundLookup, table: Table, keys: Sequence[ColumnElement[Any]], scope: Condition
) -> tuple[str, Callable[[Key], Any]]:
    """What a lookup finds for the rows in `scope`: the name by which the model takes it, and its value by row key.

    Raises:
        RowRejected: a field of one value finds two rows.
    """
    if lookup.statement is None:
        assert lookup.subquery is not None, "a lookup is a select or a subquery"
        rows = database.connection.execute(select(*keys, lookup.subquery).select_from(table).where(scope))
        single = {tuple(row[:-1]): row[-1] for row in rows}
        return lookup.declared.name, single.get
    labelled = [key.label(f"backfill_key_{n}") for n, key in enumerate(keys)]
    statement = lookup.statement.add_columns(*labelled).where(scope)
    found: dict[Key, list[Any]] = {}
    for row in database.connection.execute(statement):
        found.setdefault(tuple(row[-len(keys) :]), []).append(_value(lookup, row))
    if lookup.declared.is_list:
        return lookup.declared.name, lambda key: found.get(key, [])
    _refuse_second(lookup, table, found)
    return lookup.declared.name, lambda key: found[key][0] if key in found else None


def _value(lookup: BoundLookup, row: Any) -> Any:
    if lookup.declared.is_bare:
        return row[0]
    return dict(zip(lookup.names, row[: len(lookup.names)], strict=True))


def _refuse_second(lookup: BoundLookup, table: Table, found: dict[Key, list[Any]]) -> None:
    for key, values in found.items():
        if len(values) > 1:
            why = (
                f"the lookup {lookup.declared.name} finds {len(values)} rows for a field of one: give the field a "
                "list, or narrow the select"
            )
            raise RowRejected(f"{table.name} row {printable_key(key)}: {why}")
