"""Outstanding rows: those that a transform takes and would still change; what gate, verify and reruns ask for."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import or_, select

from backfill.key import Key
from backfill.rows.source import Source
from backfill.rows.target import Target

PAGE = 5_000
"""Rows looked at in one statement."""


def outstanding_keys(source: Source) -> Iterator[Key]:
    """Keys of the rows that `where` takes and for which the transform would change something; writes nothing."""
    keys, after = source.outstanding_keys(None, PAGE)
    yield from keys
    while after is not None:
        keys, after = source.outstanding_keys(after, PAGE)
        yield from keys


def has_outstanding(source: Source) -> bool:
    """Whether at least one row is left."""
    with source.database.faults():
        return next(outstanding_keys(source), None) is not None


def is_blank(source: Source) -> bool:
    """Whether there are rows, and none holds a value in the columns that are never written as NULL.

    After a run that wrote rows, these columns were made anew, or emptied. As a rule one of the first rows by key says
    no; the whole table is only looked at where none of them does.
    """
    if not isinstance(source, Target):
        return False
    filled = [source.table.c[name].is_not(None) for name in source.bound.writes if name in source.bound.never_null]
    if not filled or source.last_key() is None:
        return False
    by_key = [source.table.c[name] for name in source.key]
    first = select(or_(*filled).label("is_filled")).order_by(*by_key).limit(PAGE).subquery()
    looks = [select(1).select_from(first).where(first.c.is_filled), select(1).where(or_(*filled))]
    with source.database.faults():
        return all(source.database.connection.execute(look.limit(1)).first() is None for look in looks)
