"""Reconsideration: what people decide about rejected rows; to take them again, or to leave them as they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import Refused
from backfill.ledger import Ledger
from backfill.rejections import Rejection, Rejections, Standing
from backfill.rows.opening import open_sources
from backfill.run import Run
from backfill.slices import Slices
from backfill.status import Status


def rejections_of(database: Database, name: str) -> Sequence[Rejection]:
    """The rows that the newest run of `name` rejected; those that were taken again and passed are forgotten."""
    return Rejections(database, Ledger(database).newest(name).id).all(*Standing)


def accept_rejections(database: Database, name: str, numbers: Collection[int] = ()) -> int:
    """Let rejected rows stay as they are, all or those of these numbers; gives how many.

    Raises:
        Refused: there is no run, or no such rejection.
    """
    rejections = Rejections(database, _waiting(database, name).id)
    _require_known(rejections, name, numbers)
    with database.transaction():
        return rejections.move(Standing.ACCEPTED, numbers)


def retry_rejections(database: Database, transform: Transform[..., Any], numbers: Collection[int] = ()) -> int:
    """Let the next run take rejected rows again, all or those of these numbers; gives how many.

    Raises:
        Refused: there is no run, it is at work, or there is no such rejection.
    """
    run = _waiting(database, transform.name)
    rejections = Rejections(database, run.id)
    _require_known(rejections, transform.name, numbers)
    sources = {source.name: source for source in open_sources(database, transform)}
    meant = [each for each in rejections.all(Standing.OPEN) if not numbers or each.id in numbers]
    with database.faults():
        found = [(each.table, sources[each.table].place_of(each.key)) for each in meant]
    with database.transaction():
        for table, place in dict.fromkeys(found):  # rows of one group share theirs
            if place is not None:
                after, upto = place
                Slices(database).add(run.id, table, 0, upto, after)
        return rejections.move(Standing.RETRYING, numbers)


def _waiting(database: Database, name: str) -> Run:
    run = Ledger(database).newest(name)
    if run.status is Status.RUNNING:
        raise Refused(
            f"{name} is running, and rejected rows are decided about when it has stopped: backfill pause {name}",
            code="run-not-stopped",
        )
    if run.status not in (Status.FAILED, Status.PAUSED):
        raise Refused(
            f"{name} is {run.status}, so no row of it waits. See it with: backfill status {name}", code="no-row-waits"
        )
    return run


def _require_known(rejections: Rejections, name: str, numbers: Collection[int]) -> None:
    unknown = set(numbers) - {each.id for each in rejections.all(Standing.OPEN)}
    if unknown:
        raise Refused(
            f"{name} has no open rejection {min(unknown)}. See them: backfill rejections {name}", code="no-rejection"
        )
