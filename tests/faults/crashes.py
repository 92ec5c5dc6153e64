"""Crash sweep: a run dies at a statement, a fresh process resumes it, the rows are counted; for every statement.

Run as a process of its own, `python -m tests.faults.crashes URL TRANSFORM`, since it forks: pytest must not.
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
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa

from backfill import schema
from backfill.errors import BackfillError
from backfill.status import Status
from tests.faults import mutants
from tests.faults.statements import batches, first_transaction, interrupted, kill_own_process, recorded
from tests.faults.workloads import TRANSFORMS, insert_late, open_engine, outcome, run_on, seed, settings, tally

ROWS, BATCH = 8, 4
SURVIVED, FAILED = 0, 1


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
        from_batches: bool = False,
    ) -> None:
        self._engine = open_engine(url)
        self._visitor = open_engine(url)
        """For the application that the dying process meets."""
        keeps = self._engine.dialect.name != "sqlite"  # which must not be open in two processes after a fork
        self._desk = open_engine(url, pool=sa.QueuePool if keeps else sa.NullPool)
        """For everything else; no child uses it, so that its connection survives them all."""
        self._late_at = 0
        """Where a row is committed behind the checkpoint, if the transform sweeps for such rows."""
        self._transform = TRANSFORMS[transform]
        self._settings = settings(batch_size=batch, max_batch_size=batch, lock_seconds=5, attempts=20)
        self._rows = rows
        self._fresh = fresh
        self._from_batches = from_batches

    def sweep(self, *, until_found: bool = False) -> Sweep:
        """Go from the first statement that writes until a run survives, or until rows are lost or doubled."""
        started = time.perf_counter()
        found = Sweep()
        position, last = self._positions()
        gc.freeze()  # forks share what is there already
        while position <= last and self._dies_at(position):
            found = self._judge(found)
            if until_found and (found.lost or found.doubled):
                break
            position += 1
        return replace(found, seconds=round(time.perf_counter() - started, 1))

    def _positions(self) -> tuple[int, int]:
        """From the first statement that writes to the last; without a ledger, up to where the run itself begins."""
        if not self._fresh:
            self._reset()
            self._run()  # what it creates and caches is there from here on, so that all runs send the same statements
        self._reset()
        with recorded(self._engine) as statements:
            self._run()
        assert tally(self._desk).is_exact, "the undisturbed run is wrong already"
        if self._transform.definition.where is not None:
            self._late_at = batches(statements)[0].stop - 1
        begin = first_transaction(statements)
        if self._fresh:
            return 1, begin
        return batches(statements)[0].start if self._from_batches else begin, 2 * len(statements)

    def _reset(self) -> None:
        if self._fresh:
            schema.metadata.drop_all(self._desk)
        seed(self._desk, self._rows)

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
        counted = tally(self._desk)
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
    parser.add_argument("transform", choices=TRANSFORMS)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--fresh", action="store_true", help="without a ledger at the start")
    parser.add_argument("--from-batches", action="store_true", help="not while the run is entered and claimed")
    parser.add_argument("--mutant", choices=mutants.CRASHING, help="sweep a wrong protocol, until it shows")
    options = parser.parse_args()
    if options.mutant:
        mutants.plant(options.mutant)
    sizes = {"rows": options.rows, "batch": options.batch}
    sweep = CrashSweep(options.url, options.transform, **sizes, fresh=options.fresh, from_batches=options.from_batches)
    sys.stdout.write(json.dumps(asdict(sweep.sweep(until_found=options.mutant is not None))))


def start_sweep(url: sa.URL, transform: str, *options: str) -> subprocess.Popen[str]:
    """Start a sweep in a process of its own."""
    command = [sys.executable, "-m", "tests.faults.crashes", url.render_as_string(hide_password=False), transform]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_sweep(process: subprocess.Popen[str]) -> Sweep:
    """Wait for a sweep, and read what it found."""
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return Sweep(**json.loads(printed))


if __name__ == "__main__":
    main()
