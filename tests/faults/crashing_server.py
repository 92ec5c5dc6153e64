"""Server crashes: PostgreSQL itself is killed in the midst of a run, and started again; then the rows are counted.

A batch that the server had not committed is lost with its checkpoint, or it shows here.

    python -m tests.faults.crashing_server --rows 1000000 --kills 8
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa

from backfill.ledger import Ledger
from tests.faults.crashes import SURVIVED, in_child
from tests.faults.kills import in_this_process
from tests.faults.workloads import count_by_row, open_engine, opened, outcome, run_on, seed, settings, tally
from tests.servers import answers, postgresql
from tests.servers.keeper import identity
from tests.servers.throwaway import hand_over, new_directory, unprivileged_user

PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Crashes:
    """What became of a run whose server was killed again and again."""

    rows: int
    kills: int
    forgotten: int
    """Kills after which the server knew less than it had said before."""
    lost: int
    doubled: int
    written: int
    status: str


class Cluster:
    """A server whose data outlives it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._user = unprivileged_user("postgres")
        self._programs = postgresql.find_binaries().directory
        self.url = sa.URL.create(postgresql.DRIVERNAME, "postgres", database="postgres", query={"host": str(home)})
        for command in hand_over(home, self._user):
            subprocess.run(command.argv, check=True)
        self._run("initdb", *postgresql.CLUSTER, str(home / "data")).wait()

    def start(self) -> None:
        """Start it, again and again while the last one's processes are still dying."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self._server = self._run(
                "postgres", "-D", str(self._home / "data"), "-k", str(self._home), "-clisten_addresses="
            )
            while self._server.poll() is None:
                if answers(self.url):
                    return
                time.sleep(0.05)
        raise TimeoutError("the server does not start any more")

    def kill(self) -> None:
        """Let it die as of a power cut, but for the disk's own cache."""
        self._server.send_signal(signal.SIGKILL)
        self._server.wait()

    def stop(self) -> None:
        """End it for good."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [str(self._programs / program), *arguments]
        silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.Popen(command, cwd=self._home, **silent, **identity(self._user))  # type: ignore[call-overload,no-any-return]


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A server of our own, and nothing of it afterwards."""
    home = new_directory("pg")
    try:
        cluster = Cluster(home)
        cluster.start()
        yield cluster
        cluster.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def crash_again_and_again(cluster: Cluster, rows: int, kills: int, batch: int, dice: random.Random) -> Crashes:
    """Kill the server at random places of one run, resume each time, and count."""
    engine = open_engine(cluster.url)
    chosen = settings(batch_size=batch, max_batch_size=batch, lock_seconds=10)
    with opened(engine) as database:
        Ledger(database).ensure()
    seed(engine, rows)

    def work() -> None:
        run_on(engine, count_by_row, chosen)

    forgotten = 0
    for place in sorted(dice.randrange(rows) for _ in range(kills)):
        forgotten += _crash_at(place, cluster, engine, work)
    assert in_child(work) == SURVIVED, "the last run did not complete"
    counted = tally(engine)
    status, written = outcome(engine, count_by_row.name)
    return Crashes(rows, kills, forgotten, counted.lost, counted.doubled, written, status)


def _crash_at(place: int, cluster: Cluster, engine: sa.Engine, work: object) -> bool:
    """Kill the server when the run has come to `place`; whether it forgot something by that."""
    process = os.fork()
    if process == 0:
        os._exit(in_this_process(work))
    while (known := _rows_written(engine)) < place and os.waitpid(process, os.WNOHANG)[0] == 0:
        time.sleep(0.002)
    cluster.kill()
    with suppress(ChildProcessError):
        os.waitpid(process, 0)
    cluster.start()
    return _rows_written(engine) < known


def _rows_written(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT sum(rows_written) FROM backfill_slice").scalar() or 0)


def main() -> None:
    """Kill, and print what became of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    with running_cluster() as cluster:
        found = crash_again_and_again(cluster, options.rows, options.kills, options.batch, random.Random(options.seed))
    sys.stdout.write(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
