"""Single batches of backfill: whether the last take longer than the first, and how soon one is there after a kill."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import Engine, event

from benchmarks.contender import Target, Work
from benchmarks.contenders.ours import run_on, settings_with

LARGEST = 1_000
"""Rows of a batch, so that a tenth of the table is many."""

FEWEST = 20
"""Batches, however small the table is."""


def drift(target: Target, transform: str) -> Work:
    """The time of the last tenth of the batches, in times of the first tenth."""
    engine, settings = target.engine(), settings_with(size_of_batches(target))

    def work() -> float:
        moments = commits_of(engine)
        run_on(engine, transform, settings)
        return lengthening(moments)

    return work


def lengthening(moments: Sequence[float]) -> float:
    """The time of the last tenth of the batches that were committed at these moments, in times of the first tenth."""
    seconds = [after - before for before, after in pairwise(moments)]
    tenth = max(1, len(seconds) // 10)
    return sum(seconds[-tenth:]) / sum(seconds[:tenth])


def first_batch(target: Target, transform: str, *, after_kill: bool = False) -> Work:
    """Seconds from the call to the first batch committed, of a new run or of one that was killed half-way."""
    if after_kill:
        _kill_half_way(target, transform)
    engine, settings = target.engine(), settings_with(size_of_batches(target))

    def work() -> float:
        moments = commits_of(engine)
        started = time.perf_counter()
        run_on(engine, transform, settings)
        return moments[0] - started

    return work


def commits_of(engine: Engine) -> list[float]:
    """The moments at which batches are committed from now on."""
    moments: list[float] = []
    is_due = False

    @event.listens_for(engine, "after_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal is_due
        if _is_checkpoint(statement):
            is_due = True
        elif is_due and statement == "COMMIT":
            is_due = False
            moments.append(time.perf_counter())

    return moments


def die_half_way(target: Target, transform: str) -> None:
    """Run, and be killed when half of the batches are committed and the next one is about to be."""
    engine, size = target.engine(), size_of_batches(target)
    left = target.rows // size // 2

    @event.listens_for(engine, "after_cursor_execute")
    def die(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal left
        if _is_checkpoint(statement):
            left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    run_on(engine, transform, settings_with(size))


def _kill_half_way(target: Target, transform: str) -> None:
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=die_half_way, args=(target, transform))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL, "the run was to be killed"


def size_of_batches(target: Target) -> int:
    """Rows of each, so that there are enough of them."""
    return min(LARGEST, max(1, target.rows // FEWEST))


def _is_checkpoint(statement: str) -> bool:
    """The guarded write that ends a batch; a claim of the slice sets no checkpoint."""
    assigned, _, _ = statement.partition(" WHERE ")
    return assigned.startswith("UPDATE backfill_slice") and "checkpoint" in assigned
