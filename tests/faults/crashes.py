"""Crash sweep: a run dies at a statement, a fresh process resumes it, the rows are counted; for every statement.

Run as a process of its own, `python -m tests.faults.crashes URL TRANSFORM …`, since it forks: pytest must not.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa

from backfill import schema
from backfill.errors import BackfillError
from backfill.status import Status
from tests.faults import mutants
from tests.faults.kinds import WORKLOADS
from tests.faults.statements import batches, changing, first_transaction, interrupted, kill_own_process, recorded
from tests.faults.workloads import Tally, insert_late, open_engine, outcome, run_on, settings

ROWS, BATCH = 8, 4
SURVIVED, FAILED = 0, 1
WITHIN = {
    "run": "at every statement",
    "batches": "not while the run is entered and claimed",
    "batch": "only in the second batch, or the only one, where the database may have changed since the last death",
}


@dataclass(frozen=True)
class Sweep:
    """What a sweep found: points at which a run died, and those after which rows were lost or doubled."""

    points: int = 0
    lost: int = 0
    doubled: int = 0
    unfinished: int = 0
    miscounted: int = 0
    """The rows are right and the ledger's own count of them is not."""
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether every crash was harmless."""
        return self.points > 0 and not (self.lost or self.doubled or self.unfinished or self.miscounted)


class CrashSweep:
    """Kills a transform's run at every statement."""

    def __init__(
        self,
        url: str,
        transform: str,
        *,
        rows: int = ROWS,
        batch: int = BATCH,
        fresh: bool = False,
        within: str = "run",
    ) -> None:
        self._engine = open_engine(url)
        self._visitor = open_engine(url)
        """For the application that the dying process meets."""
        keeps = self._engine.dialect.name != "sqlite"  # which must not be open in two processes after a fork
        self._desk = open_engine(url, pool=sa.QueuePool if keeps else sa.NullPool)
        """For everything else; no child uses it, so that its connection survives them all."""
        self._late_at = 0
        """Where a row is committed behind the checkpoint, if the transform sweeps for such rows."""
        self._workload = WORKLOADS[transform]
        self._transform = self._workload.transform
        self._settings = settings(batch_size=batch, max_batch_size=batch, lock_seconds=5, attempts=20)
        self._rows = rows
        self._fresh = fresh
        self._within = within

    def sweep(self, *, until_found: bool = False) -> Sweep:
        """Go from the first statement that writes until a run survives, or until rows are lost or doubled."""
        started = time.perf_counter()
        found = Sweep()
        positions = self._positions()
        gc.freeze()  # forks share what is there already
        for position in positions:
            if (until_found and (found.lost or found.doubled)) or not self._dies_at(position):
                break
            found = self._judge(found)
        return replace(found, seconds=round(time.perf_counter() - started, 1))

    def _positions(self) -> Sequence[int]:
        """From the first statement that writes to the last; without a ledger, up to where the run itself begins."""
        if not self._fresh:
            self._reset()
            self._run()  # what it creates and caches is there from here on, so that all runs send the same statements
        self._reset()
        with recorded(self._engine) as statements:
            self._run()
        assert self._tally().is_exact, "the undisturbed run is wrong already"
        if self._transform.definition.where is not None:
            self._late_at = batches(statements)[0].stop - 1
        if self._fresh:
            return range(1, first_transaction(statements) + 1)
        if self._within == "batch":
            return changing(statements, batches(statements)[:2][-1])
        begin = first_transaction(statements) if self._within == "run" else batches(statements)[0].start
        return range(begin, 2 * len(statements))

    def _reset(self) -> None:
        if self._fresh:
            schema.metadata.drop_all(self._desk)
        self._workload.seed(self._desk, self._rows)

    def _tally(self) -> Tally:
        return self._workload.tally(self._desk, self._rows)

    def _run(self) -> None:
        run_on(self._engine, self._transform, self._settings)

    def _dies_at(self, position: int) -> bool:
        self._reset()

        def work() -> None:
            with interrupted(self._engine, position, kill_own_process):
                self._run()

        def work_with_late_row() -> None:
            with interrupted(self._engine, self._late_at, lambda: insert_late(self._visitor)):
                work()

        status = in_child(work_with_late_row if self._late_at else work)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL, status
            return True
        assert os.WEXITSTATUS(status) == SURVIVED, f"the run failed before position {position}"
        return False

    def _resume(self) -> bool:
        try:
            run_on(self._desk, self._transform, self._settings)
        except BackfillError:
            return False
        return True

    def _judge(self, found: Sweep) -> Sweep:
        if self._late_at:
            insert_late(self._desk)
        resumed = self._resume()
        counted = self._tally()
        status, written = outcome(self._desk, self._transform.name)
        completed = resumed and status == Status.COMPLETED
        return replace(
            found,
            points=found.points + 1,
            lost=found.lost + (counted.lost > 0),
            doubled=found.doubled + (counted.doubled > 0),
            unfinished=found.unfinished + (not completed),
            miscounted=found.miscounted + (completed and written != counted.rows),
        )


def in_child(work: Callable[[], None]) -> int:
    """Do the work in a forked process; gives its wait status."""
    process = os.fork()
    if process == 0:
        code = FAILED
        try:
            work()
            code = SURVIVED
        except BaseException:  # whatever it is, this process ends here
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(process, 0)[1]


def main() -> None:
    """Sweep, and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("transforms", nargs="+", choices=WORKLOADS)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--fresh", action="store_true", help="without a ledger at the start")
    parser.add_argument("--within", choices=WITHIN, default="run", help="; ".join(map(": ".join, WITHIN.items())))
    parser.add_argument("--mutant", choices=mutants.DYING, help="sweep a wrong protocol, until it shows")
    options = parser.parse_args()
    if options.mutant:
        mutants.plant(options.mutant)
    chosen = {name: getattr(options, name) for name in ("rows", "batch", "fresh", "within")}
    sweeps = {name: CrashSweep(options.url, name, **chosen) for name in options.transforms}
    found = {name: asdict(sweep.sweep(until_found=options.mutant is not None)) for name, sweep in sweeps.items()}
    sys.stdout.write(json.dumps(found))


def start_sweep(url: sa.URL, *options: str) -> subprocess.Popen[str]:
    """Start a sweep of one transform, or of several one after the other, in a process of its own."""
    command = [sys.executable, "-m", "tests.faults.crashes", url.render_as_string(hide_password=False)]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_sweep(process: subprocess.Popen[str]) -> Sweep:
    """Wait for a sweep, and read what it found."""
    (found,) = finish_sweeps(process).values()
    return found


def finish_sweeps(process: subprocess.Popen[str]) -> dict[str, Sweep]:
    """Wait for the sweeps of several transforms, and read what they found."""
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return {name: Sweep(**found) for name, found in json.loads(printed).items()}


if __name__ == "__main__":
    main()
