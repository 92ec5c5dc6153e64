"""Outstanding rows: those that a transform takes and would still change; what gate, verify and reruns ask for."""

from __future__ import annotations

from collections.abc import Iterator

from backfill.key import Key
from backfill.rows.source import Source

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
