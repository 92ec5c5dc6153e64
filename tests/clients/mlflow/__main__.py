"""Fill the tables of a real MLflow, and compare with plain SQL, row for row.

    python -m tests.clients.mlflow URL --runs 100000 --metrics 1000000

URL is an absent SQLite file or an empty PostgreSQL database, and is left as it is at the end. MLflow makes the tables,
from an environment of its own that is thrown away (`--mlflow PATH` names its command where it is installed). Each data
step is done three times: by the one statement of SQL that it could have been, by `backfill run`, and by a
`backfill run` that is killed half-way and repeated. The exit code is 1 if a row differs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from tests.clients.mlflow.history import write_history
from tests.clients.mlflow.oracle import STEPS, DataStep, Truth, ask, differences, empty, spoil
from tests.clients.mlflow.server import NotFresh, install, make_tables
from tests.clients.mlflow.user import User


@dataclass(frozen=True)
class Attempt:
    """One way in which a data step was done."""

    step: DataStep
    how: str
    truth: Truth
    seconds: float
    differences: int = 0
    is_counted: bool = True
    """Whether the ledger counts each row once."""

    @property
    def is_right(self) -> bool:
        """Whether the rows and the ledger are those of the one statement."""
        return self.is_counted and not self.differences

    def __str__(self) -> str:
        rate, ratio = self.truth.walked / self.seconds, self.seconds / self.truth.seconds
        figures = f"{self.truth.walked:>10,}{self.truth.written:>10,}{self.seconds:>9.1f}{rate:>11,.0f}{ratio:>8.2f}"
        verdict = f"{self.differences:>8}" + ("" if self.is_counted else "  the ledger counts otherwise")
        return f"{self.step.name:16}{self.how:26}{figures}{verdict}"


HEAD = f"{'':42}{'rows':>10}{'written':>10}{'seconds':>9}{'rows/s':>11}{'times':>8}{'wrong':>8}"


class Trial:
    """Both data steps on one database."""

    def __init__(self, engine: sa.Engine, user: User, *, is_spoilt: bool) -> None:
        self._engine = engine
        self._user = user
        self._is_spoilt = is_spoilt

    def attempts(self, step: DataStep) -> Iterator[Attempt]:
        """Do a step in every way."""
        truth = ask(self._engine, step)
        yield Attempt(step, "one statement", truth, truth.seconds)
        yield self._compare(step, "backfill run", truth, self._user.run(step))
        empty(self._engine, step)
        seconds, done = self._user.run_killed(step, truth.walked // 2, "--from-start")
        seconds += self._user.run(step)
        yield self._compare(step, f"killed at {done:,}", truth, seconds)

    def _compare(self, step: DataStep, how: str, truth: Truth, seconds: float) -> Attempt:
        if self._is_spoilt:
            spoil(self._engine, step)
        is_counted = self._user.ask_status(step).agrees_with(truth)
        return Attempt(step, how, truth, seconds, differences(self._engine, step), is_counted)


def main() -> None:
    """Make, fill, run, compare, and print what was seen."""
    options = _parse()
    engine = sa.create_engine(options.url, poolclass=sa.NullPool)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            revision = make_tables(options.mlflow or install(folder), engine)
        except NotFresh as error:
            sys.exit(f"Error: {error}")
        started = time.perf_counter()
        write_history(engine, options.runs, options.metrics)
        say(f"{engine.dialect.name}, revision {revision} of MLflow, written in {time.perf_counter() - started:.0f} s")
        say(HEAD)
        trial = Trial(engine, User(folder, engine), is_spoilt=options.spoil)
        wrong = sum(_is_wrong(attempt) for step in STEPS for attempt in trial.attempts(step))
    engine.dispose()
    say("WRONG" if wrong else "every row right")
    sys.exit(1 if wrong else 0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.clients.mlflow")
    parser.add_argument("url")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--metrics", type=int, default=1_000_000)
    parser.add_argument("--mlflow", type=Path, help="the command of an MLflow that is installed already")
    parser.add_argument("--spoil", action="store_true", help="make one row wrong each time, which must be noticed")
    return parser.parse_args()


def _is_wrong(attempt: Attempt) -> bool:
    say(str(attempt))
    return not attempt.is_right


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
