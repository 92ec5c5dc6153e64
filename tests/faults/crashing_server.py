"""Server crashes: the server itself is killed in the midst of a run, and started again; then the rows are counted.

A batch that the server had not committed is lost with its checkpoint, or it shows here.

    python -m tests.faults.crashing_server mariadb --rows 1000000 --kills 8
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

import sqlalchemy as sa

from backfill.ledger import Ledger
from backfill.status import Status
from tests.faults.clusters import CLUSTERS, Cluster, MariaDBCluster, at_work
from tests.faults.crashes import SURVIVED, in_child
from tests.faults.kills import in_this_process
from tests.faults.workloads import count_by_row, open_engine, opened, outcome, run_on, seed, settings, tally


@dataclass(frozen=True)
class Crashes:
    """What became of a run whose server was killed again and again."""

    rows: int
    kills: int
    forgotten: int
    """Kills after which the server knew less than it had told the run before."""
    lost: int
    doubled: int
    written: int
    status: str
    seconds: float

    @property
    def is_exact(self) -> bool:
        """Whether every row was counted exactly once, the ledger knows it, and no server forgot what it had said."""
        return not (self.lost or self.doubled or self.forgotten) and (self.written, self.status) == (
            self.rows,
            Status.COMPLETED,
        )


def crash_again_and_again(
    cluster: Cluster, rows: int, kills: int, batch: int, dice: random.Random, *, careless: bool = False
) -> Crashes:
    """Kill the server at random places of one run, resume each time, and count."""
    engine = open_engine(cluster.url)
    chosen = settings(batch_size=batch, max_batch_size=batch, lock_seconds=10)
    with opened(engine) as database:
        Ledger(database).ensure()
    seed(engine, rows)
    if isinstance(cluster, MariaDBCluster) and careless:
        cluster.grow_careless()

    def work() -> None:
        run_on(engine, count_by_row, chosen)

    forgotten, started = 0, time.perf_counter()
    for place in sorted(dice.randrange(rows) for _ in range(kills)):
        forgotten += _crash_at(place, cluster, engine, work)
    assert in_child(work) == SURVIVED, "the last run did not complete"
    counted = tally(engine)
    status, written = outcome(engine, count_by_row.name)
    seconds = round(time.perf_counter() - started, 1)
    return Crashes(rows, kills, forgotten, counted.lost, counted.doubled, written, status, seconds)


def _crash_at(place: int, cluster: Cluster, engine: sa.Engine, work: object) -> bool:
    """Kill the server when the run has come to `place`; whether it forgot something by that.

    The newest batch that is seen need not stand yet: InnoDB lets others see what it has not told the run, nor has on
    disk. The one before does, since the run has begun another.
    """
    process = os.fork()
    if process == 0:
        os._exit(in_this_process(work))
    told = seen = 0
    while (written := _rows_written(engine)) < place and os.waitpid(process, os.WNOHANG)[0] == 0:
        told, seen = (seen, written) if written > seen else (told, seen)
        time.sleep(0.002)
    cluster.kill()
    with suppress(ChildProcessError):
        os.waitpid(process, 0)
    cluster.start()
    return _rows_written(engine) < told


def _rows_written(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT sum(rows_written) FROM backfill_slice").scalar() or 0)


def start_crashes(database: str, **options: int) -> subprocess.Popen[str]:
    """Start a series of kills in a process of its own, on a server of its own."""
    command = [sys.executable, "-m", "tests.faults.crashing_server", database]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_crashes(process: subprocess.Popen[str]) -> Crashes:
    """Wait for the end of a series, and read what became of it."""
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return Crashes(**json.loads(printed))


def main() -> None:
    """Kill, and print what became of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", choices=CLUSTERS)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--careless", type=int, default=0, help="MariaDB does not wait for its disk")
    options = parser.parse_args()
    with at_work(CLUSTERS[options.database]) as cluster:
        dice, careless = random.Random(options.seed), bool(options.careless)
        found = crash_again_and_again(cluster, options.rows, options.kills, options.batch, dice, careless=careless)
    sys.stdout.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
