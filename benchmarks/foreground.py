"""Foreground: what an application at a steady rate feels of a backfill, on PostgreSQL.

    python -m benchmarks.foreground postgresql+psycopg://user@host/empty --rows 1000000

pgbench updates and reads rows of the same table at random, so many transactions a second. Their times are compared
with those without a backfill; each case first runs without the load, which tells how much the load slows it down.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import median

from sqlalchemy import create_engine, make_url
from sqlalchemy.pool import NullPool

from benchmarks import jobs
from benchmarks.admission import admit
from benchmarks.contender import Contender, NotAvailable, Target, Work
from benchmarks.contenders import loops, one_update, ours
from benchmarks.load import Latencies, Load, NoPgbench, find_pgbench
from benchmarks.measuring import in_fresh_process
from benchmarks.report import Spread, brief
from benchmarks.tables import database_of, fresh_users

WARM_UP_SECONDS = 1.0

LONGEST_TIMES = 3
"""The load goes on for so many times the seconds that a case takes without it."""

CONTENDERS: dict[str, Contender] = {
    "one UPDATE": one_update.constant,
    "hand-written loop": loops.constant,
    "backfill": partial(ours.backfilled, transform="default_skills"),
    "backfill, duty=0.5": partial(ours.backfilled, transform="default_skills", duty=0.5),
}

HEAD = (
    f"{'':22}{'tps':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}{'p99 is':>10}{'min..max':>18}"
    f"{'rows/s alone':>14}{'with load':>12}"
)


@dataclass
class Case:
    """What is known of one contender, or of the load alone."""

    name: str
    alone: list[float] = field(default_factory=list)
    """Seconds that it took without the load."""
    beside: list[float] = field(default_factory=list)
    """Seconds that it took with it."""
    latencies: list[Latencies] = field(default_factory=list)
    missing: str | None = None

    def line(self, baseline: Case, rows: int) -> str:
        """For people: medians, and p99 in times of the baseline's, with its noise."""
        if not self.latencies:
            return f"{self.name:22}not available: {self.missing}"
        names = ("per_second", "p50", "p95", "p99", "max")
        figures = [median(getattr(each, name) for each in self.latencies) for name in names]
        shown = "".join(f"{brief(figure):>9}" for figure in figures)
        return f"{self.name:22}{shown}{self.slowdown(baseline)}{self._rates(rows)}"

    def slowdown(self, baseline: Case) -> Spread:
        """How many times the baseline's p99 it is, turn by turn."""
        pairs = zip(self.latencies, baseline.latencies, strict=True)
        return Spread.of([mine.p99 / calm.p99 for mine, calm in pairs])

    def _rates(self, rows: int) -> str:
        if not self.alone:
            return ""
        return f"{rows / median(self.alone):>14,.0f}{rows / median(self.beside):>12,.0f}"


class Trial:
    """The application's table, and what happens to it."""

    def __init__(self, target: Target, tps: int) -> None:
        self._target = target
        self._tps = tps

    def run(self, repeat: int, calm_seconds: float) -> list[Case]:
        """Let the contenders take turns; gives the baseline first."""
        baseline, *cases = Case("no backfill"), *map(Case, CONTENDERS)
        for turn in range(repeat):
            self._add_baseline(baseline, calm_seconds)
            for case in cases if turn % 2 == 0 else reversed(cases):
                try:
                    self._add(case)
                except NotAvailable as reason:
                    case.missing = str(reason)
        return [baseline, *cases]

    def _add_baseline(self, case: Case, seconds: float) -> None:
        _, latencies = self._beside(partial(calm, seconds=seconds), seconds + 1, fills=False)
        case.latencies.append(latencies)

    def _add(self, case: Case) -> None:
        alone = self._alone(CONTENDERS[case.name])
        beside, latencies = self._beside(CONTENDERS[case.name], LONGEST_TIMES * alone + 1)
        case.alone.append(alone)
        case.beside.append(beside)
        case.latencies.append(latencies)

    def _alone(self, contender: Contender) -> float:
        engine = create_engine(self._target.url, poolclass=NullPool)
        with fresh_users(engine, self._target.recipe, self._target.rows):
            started, ended = in_fresh_process(moments, contender, self._target)
        return ended - started

    def _beside(self, contender: Contender, seconds: float, *, fills: bool = True) -> tuple[float, Latencies]:
        """The seconds that it takes, and what a load of so many seconds feels of it."""
        target = self._target
        engine = create_engine(target.url, poolclass=NullPool)
        with fresh_users(engine, target.recipe, target.rows) as users:
            with Load(make_url(target.url), target.rows, self._tps, WARM_UP_SECONDS + seconds) as load:
                time.sleep(WARM_UP_SECONDS)
                started, ended = in_fresh_process(moments, contender, target)
                transactions = load.finish()
            if fills:
                jobs.CONSTANT.check(engine, users, target.rows)
        return ended - started, Latencies.between(transactions, started, ended)


def calm(_target: Target, seconds: float) -> Work:
    """Nothing happens."""
    return lambda: time.sleep(seconds)


def moments(contender: Contender, target: Target) -> tuple[float, float]:
    """When it began and ended, by the clock that pgbench's log is written by."""
    work = contender(target)
    started = time.time()
    work()
    return started, time.time()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.foreground", description="Time an application.")
    parser.add_argument("url", metavar="URL", help="an empty database on PostgreSQL")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--tps", type=int, default=1_000, help="transactions a second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=5, help="of the baseline (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    if database_of(create_engine(admit(options.url))) != "postgresql":
        parser.error("the load is pgbench's, for PostgreSQL")
    try:
        find_pgbench()
    except NoPgbench as reason:
        parser.error(str(reason))
    cases = Trial(Target(options.url, options.rows), options.tps).run(options.repeat, options.seconds)
    print(HEAD, *(case.line(cases[0], options.rows) for case in cases), sep="\n")
    if options.json:
        options.json.write_text(json.dumps([asdict(case) for case in cases], indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
