"""Control: pause and cancel, asked for from another process than the one that runs."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

from backfill.database import Database
from backfill.errors import Exhausted
from backfill.fault import Fault, Faulted
from backfill.ledger import Ledger
from backfill.run import Run
from backfill.slices import Slices
from backfill.status import Status

LOCK_SECONDS = 0.01
"""How long one try waits for the ledger: SQLite has one writer, and between two of its batches there is little time."""

PATIENCE_SECONDS = 30
"""How long is tried."""


def pause_run(database: Database, name: str) -> Run:
    """Let the worker finish its batch and stop.

    Raises:
        Refused: there is no such run, or its status does not allow it.
        Exhausted: the ledger stayed locked.
    """
    ledger = Ledger(database)

    def pause() -> None:
        with database.transaction():
            ledger.move(ledger.newest(name), Status.PAUSED, "paused by `backfill pause`")

    _insist(pause)
    return ledger.newest(name)


def cancel_run(database: Database, name: str) -> Run:
    """Give the run up: from here on no batch of it can commit.

    Raises:
        Refused: there is no such run, or its status does not allow it.
        Exhausted: the ledger stayed locked.
    """
    ledger = Ledger(database)

    def cancel() -> None:
        with database.transaction():
            newest = ledger.newest(name)
            ledger.move(newest, Status.CANCELLED, "cancelled by `backfill cancel`")
            Slices(database).fence(newest.id)

    _insist(cancel)
    return ledger.newest(name)


def _insist(move: Callable[[], None]) -> None:
    attempts = Retrying(
        retry=retry_if_exception(_is_conflict),
        wait=wait_random(0, LOCK_SECONDS),
        stop=stop_after_delay(PATIENCE_SECONDS),
        reraise=True,
    )
    try:
        attempts(move)
    except Faulted as error:
        if not _is_conflict(error):
            raise
        raise Exhausted(f"the ledger stayed locked for {PATIENCE_SECONDS} s ({error.code}): ask again") from None


def _is_conflict(error: BaseException) -> bool:
    return isinstance(error, Faulted) and error.fault is Fault.CONFLICT
