"""Reconnection: a lost link is no reason to stop while the ledger knows how far we came."""

from __future__ import annotations

import time
from collections.abc import Callable

from backfill.errors import LinkLost, Unreachable
from backfill.running.progress import log

ATTEMPTS = 8
"""Failures in a row, over about a minute, before people are asked."""

STEADY_SECONDS = 60.0
"""Work that lasted so long was no failure in a row."""

LONGEST_WAIT = 30.0


def reconnecting(work: Callable[[], None]) -> None:
    """Do the work, and on a lost link do it again: it begins with what the ledger says.

    Raises:
        Unreachable: there was no link from the beginning.
        LinkLost: it was lost and did not come back, or was lost again and again.
    """
    lost: LinkLost | None = None
    failures = 0
    while True:
        started = time.monotonic()
        try:
            return work()
        except LinkLost as error:
            lost = error
        except Unreachable:
            if lost is None:
                raise
        failures = 1 if time.monotonic() - started > STEADY_SECONDS else failures + 1
        if failures == ATTEMPTS:
            raise lost
        log.warning("%s; connecting again", lost)
        time.sleep(min(0.5 * 2 ** (failures - 1), LONGEST_WAIT))
