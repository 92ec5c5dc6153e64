"""Outstanding rows: those that a transform takes and would still change; what gate, verify and reruns ask for."""

from __future__ import annotations

from collections.abc import Iterator

from backfill.key import Key
from backfill.target import Target

PAGE = 5_000
"""Rows looked at in one statement."""


def outstanding_keys(target: Target) -> Iterator[Key]:
    """Keys of the rows that `where` takes and that the transform would change, in key order; writes nothing."""
    last = target.last_key()
    after: Key | None = None
    while last is not None:
        batch = target.next_match(after, last, PAGE)
        if batch is None:
            return
        yield from target.changing_keys(batch)
        after = batch.upto
        if batch.is_last:
            return


def has_outstanding(target: Target) -> bool:
    """Whether at least one row is left."""
    with target.database.faults():
        return next(outstanding_keys(target), None) is not None
