"""Verifier: computes again and compares; a second pass must change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from backfill.checks import inspect_sources
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.declaration.repeatability import Repeatability
from backfill.errors import ChecksFailed, Refused
from backfill.finding import Severity
from backfill.key import Key
from backfill.ledger import Ledger
from backfill.rows.images import Images
from backfill.rows.opening import open_sources
from backfill.rows.outstanding import outstanding_keys
from backfill.rows.recollection import Recollection
from backfill.rows.source import Source
from backfill.rows.target import Target

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
    """Rows that a second pass would change, and rows for which something else comes out than was written."""
    is_counted: bool
    """Every mismatch was collected; False when there are more than LIMIT in a table."""
    not_compared: Sequence[str]
    """What could not be computed again."""
    by_images: bool = False
    """It was computed from what the rows held before."""
    tells_rows: bool = True
    """Each mismatch is one; False when they are rows of which some are."""


def verify(database: Database, transform: Transform[..., Any]) -> Verdict:
    """Apply the transform again, write nothing, and collect the rows that do not hold what comes out.

    Where a run has kept images, what it wrote is computed again from what it found; elsewhere a second pass must change
    nothing.

    Raises:
        ChecksFailed: the definition does not fit the tables as they are now.
        Refused: there are no images, and the transform reads what it writes, so computing again proves nothing.
    """
    sources = open_sources(database, transform)
    _require_fitting(transform.name, sources)
    recollections = list(_recollections(database, transform.name, sources))
    repeatability = sources[0].repeatability
    if not repeatability.by_nature and not recollections:
        no_images = "" if sources[0].bound.performs else ", and no images of what it found are kept"
        raise Refused(
            f"{transform.name} cannot be verified by computing again: {repeatability.reason}{no_images}. "
            f"What the ledger knows of it: backfill status {transform.name}",
            code="verify-not-natural",
        )
    with database.faults():
        found = {source.name: list(islice(_each_once(source, recollections), LIMIT + 1)) for source in sources}
    return Verdict(
        transform.name,
        mismatches=[Mismatch(table, key) for table, keys in found.items() for key in keys[:LIMIT]],
        is_counted=all(len(keys) <= LIMIT for keys in found.values()),
        not_compared=list(_not_compared(repeatability, recollections)),
        by_images=bool(recollections),
        tells_rows=all(source.tells_rows for source in sources),
    )


def _require_fitting(name: str, sources: Sequence[Source]) -> None:
    """What needs consent to be written is read without."""
    misfits = [finding for finding in inspect_sources(sources) if finding.severity is Severity.REFUSAL]
    if misfits:
        raise ChecksFailed(name, misfits)


def _recollections(database: Database, name: str, sources: Sequence[Source]) -> Iterator[Recollection]:
    """Of the newest run that kept any."""
    runs = reversed(Ledger(database).runs(name))
    images = next((found for run in runs if (found := Images(database).of_run(run.id))), [])
    targets = {source.name: source for source in sources if isinstance(source, Target)}
    if targets:
        first = next(iter(targets.values()))
        yield from (Recollection(targets.get(image.table, first), image) for image in images)


def _each_once(source: Source, recollections: Sequence[Recollection]) -> Iterator[Key]:
    seen: set[Key] = set()
    for key in _differing(source, recollections):
        if key not in seen:
            seen.add(key)
            yield key


def _differing(source: Source, recollections: Sequence[Recollection]) -> Iterator[Key]:
    if source.repeatability.by_nature:
        yield from outstanding_keys(source)
    for recollection in recollections:
        if recollection.is_of(source) and recollection.why_not() is None:
            yield from recollection.mismatches()


def _not_compared(repeatability: Repeatability, recollections: Sequence[Recollection]) -> Iterator[str]:
    if repeatability.shrinks and not recollections:
        yield "rows that are filled already: no image of what they held before is kept"
    yield from dict.fromkeys(why for each in recollections if (why := each.why_not()))
