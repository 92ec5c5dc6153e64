"""Control: pause and cancel, asked for from another process than the one that runs."""

from __future__ import annotations

from backfill.database import Database
from backfill.errors import Refused
from backfill.ledger import Ledger, Run
from backfill.status import Status


def pause_run(database: Database, name: str) -> Run:
    """Let the worker finish its batch and stop."""
    ledger = Ledger(database)
    with database.transaction():
        ledger.move(_newest(ledger, name), Status.PAUSED, "paused by `backfill pause`")
    return _newest(ledger, name)


def cancel_run(database: Database, name: str) -> Run:
    """Give the run up: from here on no batch of it can commit."""
    ledger = Ledger(database)
    with database.transaction():
        newest = _newest(ledger, name)
        ledger.move(newest, Status.CANCELLED, "cancelled by `backfill cancel`")
        ledger.fence(newest)
    return _newest(ledger, name)


def _newest(ledger: Ledger, name: str) -> Run:
    newest = ledger.latest(name)
    if newest is None:
        raise Refused(f"{name} has no run in this database. See what there is: backfill status")
    return newest
