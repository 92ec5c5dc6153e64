"""Verifier: computes again and compares; a second pass must change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import Refused
from backfill.key import Key
from backfill.rows.opening import open_sources
from backfill.rows.outstanding import outstanding_keys

LIMIT = 1_000
"""Mismatches that are collected; one is enough to say no."""


@dataclass(frozen=True)
class Mismatch:
    """A row that does not hold what the transform says."""

    table: str
    key: Key


@dataclass(frozen=True)
class Verdict:
    """What verify found out, and what it could not."""

    name: str
    mismatches: Sequence[Mismatch]
    is_counted: bool
    """Every mismatch was collected; False when there are more than LIMIT in a table."""
    is_partial: bool
    """Rows that the condition no longer takes were not compared: no before-image of them is kept."""


def verify(database: Database, transform: Transform[..., Any]) -> Verdict:
    """Apply the transform again, write nothing, and collect the rows that would change.

    Raises:
        Refused: the transform reads what it writes, so computing again proves nothing.
    """
    sources = open_sources(database, transform)
    repeatability = sources[0].repeatability
    if not repeatability.by_nature:
        raise Refused(
            f"{transform.name} cannot be verified by computing again: {repeatability.reason}. "
            f"What the ledger knows of it: backfill status {transform.name}"
        )
    with database.faults():
        keys = {source.name: list(islice(outstanding_keys(source), LIMIT + 1)) for source in sources}
    return Verdict(
        transform.name,
        mismatches=[Mismatch(table, key) for table, found in keys.items() for key in found[:LIMIT]],
        is_counted=all(len(found) <= LIMIT for found in keys.values()),
        is_partial=repeatability.shrinks,
    )
