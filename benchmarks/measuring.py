"""Measuring: each figure comes from a process of its own on a table of its own, and the contenders take turns."""

from __future__ import annotations

import io
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from benchmarks.contender import Contender, NotAvailable, Target
from benchmarks.sections import Row, Section
from benchmarks.tables import database_of, fresh_users

P = ParamSpec("P")
T = TypeVar("T")

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["benchmarks.sections"])
_BYTES = 1 if sys.platform == "darwin" else 1024
"""The unit in which the system tells the largest size of a process."""


@dataclass(frozen=True)
class Sample:
    """One measurement."""

    figure: float
    """Rows per second, or what the section asks for."""
    seconds: float
    cpu_seconds: float
    """Of the client and its children; the figure that the machine's other work spoils least."""
    megabytes: float
    """The most that the client's process held."""


@dataclass
class Standing:
    """What is known of one row of a section."""

    row: Row
    rows: int
    """In the table that it filled."""
    samples: list[Sample] = field(default_factory=list)
    missing: str | None = None
    """Why it does not take part."""


def in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a process that has nothing but the imports behind it."""
    with ProcessPoolExecutor(1, mp_context=_CONTEXT) as pool:
        return pool.submit(function, *args, **kwargs).result()


def measure(section: Section, url: str, rows: int, repeat: int, *, is_large: bool = False) -> Iterator[list[Standing]]:
    """Let the section's contenders take turns, forth and back; gives how they stand after each measurement."""
    asked = [row for row in section.rows if is_large or not row.is_large]
    standings = [Standing(row, max(1, int(rows * row.times))) for row in asked]
    for turn in range(repeat):
        for standing in standings if turn % 2 == 0 else reversed(standings):
            if standing.missing is None:
                _add_sample(section, standing, url)
            yield standings


def _add_sample(section: Section, standing: Standing, url: str) -> None:
    row = standing.row
    target = Target(url, standing.rows, row.recipe or section.recipe)
    engine = create_engine(url, poolclass=NullPool)
    if not row.runs_on(database_of(engine)):
        standing.missing = f"not on {database_of(engine)}"
        return
    with fresh_users(engine, target.recipe, target.rows) as users:
        try:
            measured = in_fresh_process(sample, row.contender, target, is_rate=section.unit == "rows/s")
        except NotAvailable as reason:
            standing.missing = str(reason)
            return
        if row.fills:
            section.job.check(engine, users, target.rows)
    standing.samples.append(measured)


def sample(contender: Contender, target: Target, *, is_rate: bool = True) -> Sample:
    """Get ready, and take the time; nothing is printed, so that no bar is drawn meanwhile."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        work = contender(target)
        cpu_before, started = sum(os.times()[:4]), time.perf_counter()
        found = work()
        seconds = time.perf_counter() - started
    figure = (target.rows / seconds if is_rate else seconds) if found is None else found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _BYTES / 1e6
    return Sample(figure, seconds, sum(os.times()[:4]) - cpu_before, peak)
