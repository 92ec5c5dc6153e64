"""Concurrent edits: one live writer changes the very column that is rewritten, and every edit lost is counted.

    python -m benchmarks.edits postgresql+psycopg://user@host/empty --rows 200000

The line without row locks has to lose some: that proves that the count would notice.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import Engine, bindparam, create_engine, func, select
from sqlalchemy.pool import NullPool

from benchmarks import jobs
from benchmarks.admission import admit
from benchmarks.contender import Contender, NotAvailable, Target
from benchmarks.contenders import ours, rewriting
from benchmarks.measuring import in_fresh_process, sample
from benchmarks.tables import Kind, Recipe, database_of, fresh_users, users_of

EDIT = "|edited"

LONGEST_SECONDS = 600
"""A writer that nobody stops ends by itself."""


@dataclass(frozen=True)
class Edits:
    """What the writer did while a contender ran."""

    seconds: Sequence[float] = ()
    """That each edit took."""

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        if len(self.seconds) < 2:
            return 0.0
        return quantiles(self.seconds, n=100)[percent - 1] * 1000


@dataclass
class Outcome:
    """What is known of one contender."""

    name: str
    alone: list[float] = field(default_factory=list)
    """Rows per second without a writer."""
    beside: list[float] = field(default_factory=list)
    """Rows per second with one."""
    edits: int = 0
    lost: int = 0
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    missing: str | None = None

    def __str__(self) -> str:
        if not self.beside:
            return f"{self.name:32}not available: {self.missing}"
        alone, beside = median(self.alone), median(self.beside)
        latencies = f"{median(self.p50):>8.2f}{median(self.p99):>8.1f}"
        rates = f"{alone:>10,.0f}{beside:>13,.0f}{beside / alone:>7.2f}"
        return f"{self.name:32}{rates}{self.edits:>9,}{self.lost:>6}{latencies}"


HEAD = f"{'':32}{'rows/s':>10}{'with writer':>13}{'ratio':>7}{'edits':>9}{'lost':>6}{'p50 ms':>8}{'p99 ms':>8}"


def contenders(batch: int) -> dict[str, Contender]:
    """Who rewrites the column."""
    return {
        "backfill": partial(ours.backfilled, transform="mark_bio", batch=batch),
        "backfill without its row locks": partial(rewriting.unlocked, batch=batch),
        "by hand, row locks": partial(rewriting.by_hand, batch=batch, is_locked=True),
        "by hand, comparing xmin": partial(rewriting.by_hand, batch=batch, is_locked=False),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.edits", description="Count lost edits.")
    parser.add_argument("url", metavar="URL", help="an empty database on PostgreSQL or MariaDB")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--batch", type=int, default=5_000)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    engine = create_engine(admit(options.url), poolclass=NullPool)
    if database_of(engine) == "sqlite":
        parser.error("SQLite has one writer at a time: no edit can come in between")
    outcomes = measure(Target(options.url, options.rows), contenders(options.batch), options.repeat)
    print(HEAD, *outcomes, sep="\n")
    if options.json:
        options.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=2), encoding="utf-8")


def measure(target: Target, rivals: dict[str, Contender], repeat: int) -> list[Outcome]:
    """Let the contenders take turns, alone and beside a writer."""
    outcomes = [Outcome(name) for name in rivals]
    for turn in range(repeat):
        for outcome in outcomes if turn % 2 == 0 else reversed(outcomes):
            try:
                _add(outcome, rivals[outcome.name], target)
            except NotAvailable as reason:
                outcome.missing = str(reason)
    return outcomes


def _add(outcome: Outcome, contender: Contender, target: Target) -> None:
    alone, _, _ = _measured(contender, target, with_writer=False)
    beside, edits, lost = _measured(contender, target, with_writer=True)
    outcome.alone.append(alone)
    outcome.beside.append(beside)
    outcome.edits += len(edits.seconds)
    outcome.lost += lost
    outcome.p50.append(edits.percentile(50))
    outcome.p99.append(edits.percentile(99))


def _measured(contender: Contender, target: Target, *, with_writer: bool) -> tuple[float, Edits, int]:
    """Rows per second, what the writer did, and how many of its edits are not there any more."""
    engine = create_engine(target.url, poolclass=NullPool)
    with fresh_users(engine, Recipe(), target.rows) as users:
        edits: list[Edits] = []
        with _writer(target, edits) if with_writer else _nobody(edits):
            rate = in_fresh_process(sample, contender, target).figure
        jobs.MARKS.check(engine, users, target.rows)
        return rate, edits[0], len(edits[0].seconds) - _found(engine)


def _found(engine: Engine) -> int:
    users = users_of(Kind.DENSE)
    characters = func.length(users.c.bio) - func.length(func.replace(users.c.bio, EDIT, ""))
    with engine.connect() as connection:
        return int(connection.execute(select(func.sum(characters))).scalar_one()) // len(EDIT)


@contextmanager
def _nobody(edits: list[Edits]) -> Iterator[None]:
    yield
    edits.append(Edits())


@contextmanager
def _writer(target: Target, edits: list[Edits]) -> Iterator[None]:
    """A process that edits, from before the run begins until it has ended."""
    context = multiprocessing.get_context("forkserver")
    stop, (ours_end, theirs) = context.Event(), context.Pipe()
    process = context.Process(target=edit, args=(target, stop, theirs), daemon=True)
    process.start()
    ours_end.recv()
    try:
        yield
    finally:
        stop.set()
        edits.append(ours_end.recv())
        process.join()


def edit(target: Target, stop: Event, report: Connection) -> None:
    """Append to one bio after the other, each in a transaction of its own, until told to stop."""
    users = users_of(Kind.DENSE)
    statement = users.update().where(users.c.id == bindparam("key")).values(bio=users.c.bio + EDIT)
    seconds: list[float] = []
    dice = random.Random(target.rows)  # noqa: S311  # which row is edited is no secret
    with target.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        report.send("ready")
        deadline = time.perf_counter() + LONGEST_SECONDS
        while not stop.is_set() and (started := time.perf_counter()) < deadline:
            connection.execute(statement, {"key": dice.randint(1, target.rows)})
            seconds.append(time.perf_counter() - started)
    report.send(Edits(seconds))


if __name__ == "__main__":
    main()
