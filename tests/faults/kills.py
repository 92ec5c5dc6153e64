"""Random kills: a run is killed with SIGKILL at random moments and started again each time; then the rows are counted.

It forks, so it is a process of its own: `python -m tests.faults.kills URL TRANSFORM`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from backfill.ledger import Ledger
from backfill.status import Status
from tests.faults.crashes import SURVIVED, in_child
from tests.faults.workloads import TRANSFORMS, open_engine, opened, outcome, run_on, seed, settings, tally

LONGEST_BATCH_SECONDS = 0.02


@dataclass(frozen=True)
class Siege:
    """What became of a run that was killed again and again."""

    transform: str
    rows: int
    kills: int
    lost: int
    doubled: int
    written: int
    """As the ledger has it."""
    status: str
    seconds: float

    @property
    def is_exact(self) -> bool:
        """Whether every row was counted exactly once, and the ledger knows it."""
        return (self.lost, self.doubled, self.written, self.status) == (0, 0, self.rows, Status.COMPLETED)


class KillSeries:
    """One run, killed at random places."""

    def __init__(self, url: str, transform: str, rows: int, kills: int, batch: int, workers: int = 1) -> None:
        self._engine = open_engine(url)
        self._transform = TRANSFORMS[transform]
        sizes = {"batch_size": batch, "max_batch_size": batch, "workers": workers}
        self._settings = settings(**sizes, lock_seconds=10, attempts=20)
        self._rows = rows
        self._kills = kills

    def run(self, dice: random.Random) -> Siege:
        """Kill, resume, and count."""
        with opened(self._engine) as database:
            Ledger(database).ensure()
        seed(self._engine, self._rows)
        started = time.perf_counter()
        places = sorted(dice.randrange(self._rows) for _ in range(self._kills))
        kills = sum(self._kill_at(place, dice) for place in places)
        assert in_child(self._work) == SURVIVED, "the last run did not complete"
        counted = tally(self._engine)
        status, written = outcome(self._engine, self._transform.name)
        seconds = round(time.perf_counter() - started, 1)
        return Siege(self._transform.name, self._rows, kills, counted.lost, counted.doubled, written, status, seconds)

    def _work(self) -> None:
        run_on(self._engine, self._transform, self._settings)

    def _kill_at(self, place: int, dice: random.Random) -> bool:
        """Start the run, and kill it some moments after it has come to `place`; False if it was done before."""
        process = os.fork()
        if process == 0:
            os._exit(in_this_process(self._work))
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while self._rows_written(connection) < place and os.waitpid(process, os.WNOHANG)[0] == 0:
                time.sleep(0.002)
        time.sleep(dice.uniform(0, LONGEST_BATCH_SECONDS))
        try:
            os.kill(process, signal.SIGKILL)
            return os.WIFSIGNALED(os.waitpid(process, 0)[1])
        except (ProcessLookupError, ChildProcessError):
            return False

    def _rows_written(self, connection: sa.Connection) -> int:
        return int(connection.exec_driver_sql("SELECT sum(rows_written) FROM backfill_slice").scalar() or 0)


def in_this_process(work: object) -> int:
    """Do the work; gives an exit code."""
    try:
        assert callable(work)
        work()
    except BaseException:  # whatever it is, this process ends here
        return 1
    return SURVIVED


def start_kills(url: sa.URL, transform: str, **options: int) -> subprocess.Popen[str]:
    """Start a series of kills in a process of its own."""
    command = [sys.executable, "-m", "tests.faults.kills", url.render_as_string(hide_password=False), transform]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_kills(process: subprocess.Popen[str]) -> Siege:
    """Wait for the end of a series, and read what became of it."""
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return Siege(**json.loads(printed))


def main(arguments: Sequence[str] | None = None) -> None:
    """Kill, and print what became of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("transform", choices=TRANSFORMS)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--batch", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=1, help="threads of each run")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    series = KillSeries(options.url, options.transform, options.rows, options.kills, options.batch, options.workers)
    sys.stdout.write(json.dumps(asdict(series.run(random.Random(options.seed)))))


if __name__ == "__main__":
    main()
