"""Reconnection: a lost link is no reason to stop while the ledger knows how far we came."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from backfill.errors import LinkLost
from backfill.progress import log

ATTEMPTS = 8
"""Tries in a row, over about two minutes, before people are asked."""


def reconnecting(work: Callable[[], None]) -> None:
    """Do the work, and on a lost link do it again: it begins with what the ledger says."""
    for attempt in Retrying(
        retry=retry_if_exception_type(LinkLost),
        wait=wait_exponential_jitter(initial=0.5, max=30),
        stop=stop_after_attempt(ATTEMPTS),
        before_sleep=_tell,
        reraise=True,
    ):
        with attempt:
            work()


def _tell(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("%s; connecting again", error)
