"""Forms: a transform of each, and the one statement that tells its end before it has begun.

None of them may be done twice. What depends on an order is told by the database, which alone orders keys.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill import Delete, Insert, Rows
from backfill.declaration.decorator import Transform

END = ("n", "category", "place", "total")
"""Columns beside the key."""


class Thing(BaseModel):
    """Read."""

    n: int
    category: str | None


class Counted(BaseModel):
    """Written."""

    n: int


class Numbered(BaseModel):
    """Written."""

    n: int
    place: int


class Summed(BaseModel):
    """Written where the walk goes by n."""

    place: int
    total: int


class Tag(BaseModel):
    """Inserted."""

    name: str
    origin: str = "new"


class Sum(BaseModel):
    """Carried from batch to batch."""

    rows: int = 0
    total: int = 0


@backfill.transform("things")
def count_by_row(thing: Thing) -> Counted:
    """One more, in Python."""
    return Counted(n=thing.n + 1)


@backfill.transform("things")
def count_in_sql(things: Rows) -> dict[str, Any]:
    """One more, in the database."""
    return {"n": things.c.n + 1}


@backfill.transform("things")
def tag_missing(thing: Thing) -> list[Counted | Insert[Tag]]:
    """A tag for each category, unless it is there, and one more."""
    tags = [] if thing.category is None else [Insert("tags", Tag(name=thing.category), match="name")]
    return [Counted(n=thing.n + 1), *tags]


@backfill.transform("things")
def drop_odd(thing: Thing) -> Delete | Counted:
    """Odd rows go; the others would be odd, if they were counted twice."""
    return Delete() if thing.n % 2 else Counted(n=thing.n + 1)


@backfill.transform("things", group_by="category", order_by=sa.column("n").desc())
def number_groups(things: list[Thing]) -> list[Numbered]:
    """1, 2, 3 … in each category, the greatest first, and one more."""
    return [Numbered(n=thing.n + 1, place=place) for place, thing in enumerate(things, 1)]


@backfill.transform("things", order_by="n")
def run_totals(things: list[Thing], *, state: Sum) -> list[Summed]:
    """1, 2, 3 … through all batches, with the running total."""
    written = []
    for thing in things:
        state.rows, state.total = state.rows + 1, state.total + thing.n
        written.append(Summed(place=state.rows, total=state.total))
    return written


Columns = list[sa.ColumnElement[Any]]


@dataclass(frozen=True)
class Form:
    """A transform, and the end of its rows as values of what they were: of those in `kept`, the columns in `END`."""

    transform: Transform[..., Any]
    changed: Callable[[sa.Table, Columns], dict[str, sa.ColumnElement[Any]]]
    kept: Callable[[sa.Table], sa.ColumnElement[bool]] = lambda _: sa.true()
    has_tags: bool = False

    def end(self, table: sa.Table) -> sa.Select[Any]:
        """The rows at the end, by their keys, told from those at the beginning."""
        keys: Columns = list(table.primary_key.columns)
        changed = self.changed(table, keys)
        columns = (changed.get(name, table.c[name]).label(name) for name in END)
        return sa.select(*keys, *columns).where(self.kept(table))


def counted(table: sa.Table, _: Columns) -> dict[str, sa.ColumnElement[Any]]:
    """One more."""
    return {"n": table.c.n + 1}


def numbered(table: sa.Table, keys: Columns) -> dict[str, sa.ColumnElement[Any]]:
    """One more, and a number in each category."""
    place = sa.func.row_number().over(partition_by=table.c.category, order_by=[table.c.n.desc(), *keys])
    return {"n": table.c.n + 1, "place": place}


def summed(table: sa.Table, keys: Columns) -> dict[str, sa.ColumnElement[Any]]:
    """A number and a running total."""
    order: dict[str, Any] = {"order_by": [table.c.n, *keys], "rows": (None, 0)}
    total = sa.cast(sa.func.sum(table.c.n).over(**order), sa.BigInteger)
    return {"place": sa.func.row_number().over(order_by=order["order_by"]), "total": total}


FORMS = (
    Form(count_by_row, counted),
    Form(count_in_sql, counted),
    Form(tag_missing, counted, has_tags=True),
    Form(drop_odd, counted, kept=lambda table: table.c.n % 2 == 0),
    Form(number_groups, numbered),
    Form(run_totals, summed),
)
