"""Gate: schema waits for proof that no row is left; the data is the truth, the ledger is evidence."""

from __future__ import annotations

from itertools import islice
from typing import Any

from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import BackfillIncomplete
from backfill.ledger import Ledger, Run
from backfill.outstanding import has_outstanding, outstanding_keys
from backfill.status import Status
from backfill.target import Target, open_targets

COUNTED = 10_000
"""Rows left are counted as far as this; beyond it the exact number helps nobody."""


def require_complete(database: Database, transform: Transform[..., Any]) -> None:
    """Return if the schema may move on.

    Where the condition asks about what is written, the rows themselves answer: on a fresh database, a stamped one
    and after a run alike. Elsewhere the ledger answers, or a table without rows.

    Raises:
        BackfillIncomplete: rows still wait; the message holds the commands to type.
    """
    targets = open_targets(database, transform)
    run = Ledger(database).latest(transform.name)
    if all(_is_settled(target, run) for target in targets):
        return
    raise BackfillIncomplete(
        f"{_rows_left(targets)} for {transform.name} ({_state(run)}), so the schema must wait too. "
        f"First: backfill run {transform.name}   Then repeat the upgrade."
    )


def _is_settled(target: Target, run: Run | None) -> bool:
    if target.repeatability.shrinks:
        return not has_outstanding(target)
    return (run is not None and run.status is Status.COMPLETED) or target.last_key() is None


def _rows_left(targets: list[Target]) -> str:
    table = ", ".join(target.name for target in targets)
    if not targets[0].repeatability.shrinks:
        return f"rows of {table} still wait"
    left = sum(len(list(islice(outstanding_keys(target), COUNTED))) for target in targets)
    return f"{'more than ' if left >= COUNTED else ''}{left:,} row{'' if left == 1 else 's'} of {table} still wait"


def _state(run: Run | None) -> str:
    if run is None:
        return "never started"
    return f"{run.status}, {run.rows_read:,} rows walked" + (f": {run.reason}" if run.reason else "")
