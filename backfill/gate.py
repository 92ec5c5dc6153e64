"""Gate: schema waits for proof that no row is left; the data is the truth, the ledger is evidence."""

from __future__ import annotations

from itertools import islice
from typing import Any

from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import BackfillIncomplete, RowRejected
from backfill.fault import Fault, Faulted
from backfill.ledger import Ledger
from backfill.phrase import counted
from backfill.rejections import Rejections, Standing
from backfill.rows.opening import open_sources
from backfill.rows.outstanding import has_outstanding, outstanding_keys
from backfill.rows.source import Source
from backfill.run import Run
from backfill.status import Status
from backfill.telling import sentence_of

COUNTED = 10_000
"""Rows left are counted as far as this; beyond it the exact number helps nobody."""


def require_complete(database: Database, transform: Transform[..., Any], *, none_left: bool = False) -> str | None:
    """Return if the schema may move on; says so where rows still match `where`, which the transform leaves as they are.

    Where the condition asks about what is written, the rows themselves answer: on a fresh database, a stamped one
    and after a run alike. Elsewhere the ledger answers, or a table without rows.

    Raises:
        BackfillIncomplete: rows still wait, or with `none_left` some match; the message says what to do.
    """
    sources = open_sources(database, transform)
    run = Ledger(database).latest(transform.name)
    try:
        if all(_is_settled(source, run) for source in sources):
            return _rows_that_stay(transform.name, sources, none_left)
    except (RowRejected, Faulted) as error:
        if isinstance(error, Faulted) and error.fault is not Fault.ROW:
            raise
        raise BackfillIncomplete(
            f"rows still wait for {transform.name} ({_state(run)}), and one cannot be filled: {sentence_of(error)}. "
            "Mend it, or "
            f"{_leaving_it_out(database, transform.name, run)}"
        ) from None
    if run is not None and run.status is Status.COMPLETED and not sources[0].repeatability.shrinks:
        raise _nobody_can_tell(sources, run)
    raise BackfillIncomplete(
        f"{_rows_left(sources)} for {transform.name} ({_state(run)}), so the schema must wait too. "
        f"First: backfill run {transform.name}   Then repeat the upgrade."
    )


def _leaving_it_out(database: Database, name: str, run: Run | None) -> str:
    """What to type where a row cannot be filled: to decide about it, it must have been left out first."""
    if run is not None and Rejections(database, run.id).count(Standing.OPEN):
        return f"say that it may stay as it is: backfill rejections {name}"
    return f"let the run leave it out: backfill run {name} --max-rejections 1"


def _is_settled(source: Source, run: Run | None) -> bool:
    if source.repeatability.shrinks:
        return not has_outstanding(source)
    is_completed = run is not None and run.status is Status.COMPLETED
    return source.last_key() is None or (is_completed and not (source.repeatability.asks and source.has_match()))


def _nobody_can_tell(sources: list[Source], run: Run) -> BackfillIncomplete:
    unsettled = ", ".join(source.name for source in sources if not _is_settled(source, run))
    return BackfillIncomplete(
        f"rows of {unsettled} match where, though {run.name} is completed: they "
        f"came since, or were left as they are, which cannot be told apart, since {sources[0].repeatability.reason}. "
        f"To fill them: backfill run {run.name} --from-start --accept twice   If they may stay, let where leave them "
        "out."
    )


def _rows_that_stay(name: str, sources: list[Source], none_left: bool) -> str | None:
    asking = (source for source in sources if source.repeatability.shrinks or source.repeatability.asks)
    stay = [source.name for source in asking if source.has_match(accepted_too=True)]
    if not stay:
        return None
    told = (
        f"rows of {', '.join(stay)} still match where, and the transform leaves them as they are (it returns None for "
        "them, writes what where takes for missing, or somebody has accepted that they stay); a NOT NULL that follows "
        "would fail on them"
    )
    if none_left:
        raise BackfillIncomplete(
            f"{told}. Let {name} fill them: backfill run {name}   Then repeat the upgrade. Or fill them by hand"
        )
    return told


def _rows_left(sources: list[Source]) -> str:
    table = ", ".join(source.name for source in sources)
    if not sources[0].repeatability.shrinks:
        return f"rows of {table} still wait"
    if not all(source.tells_rows for source in sources):
        return f"rows of {table} still wait"
    left = sum(len(list(islice(outstanding_keys(source), COUNTED))) for source in sources)
    waiting = f"{counted(left, 'row')} of {table} still wait{'s' if left == 1 else ''}"
    return f"more than {waiting}" if left >= COUNTED else waiting


def _state(run: Run | None) -> str:
    if run is None:
        return "never started"
    return f"{run.status}, {counted(run.rows_read, 'row')} walked" + (f": {run.reason}" if run.reason else "")
