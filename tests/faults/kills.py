"""Random kills: a run is killed with SIGKILL at random moments and started again each time; then the rows are counted.

One that keeps images is then undone under the same fire. It forks, so it is a process of its own:
`python -m tests.faults.kills URL TRANSFORM`.
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
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import sqlalchemy as sa

from backfill.ledger import Ledger
from backfill.rows.images import Images
from backfill.running.undoer import undo
from backfill.status import Status
from tests.faults import mutants
from tests.faults.crashes import SURVIVED, in_child
from tests.faults.workloads import (
    STEP,
    TRANSFORMS,
    open_engine,
    opened,
    outcome,
    people,
    run_on,
    seed,
    settings,
    tally,
)
from tests.undo.states import image_tables

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
    images_wrong: int = 0
    """Rows of which no image was kept, or more than one, or another one than they were."""
    not_restored: int = 0
    """Rows that are not as they were after the run was undone, or after images of an undone run were left."""

    @property
    def is_exact(self) -> bool:
        """Whether every row was counted exactly once, the ledger knows it, and images bring all of them back."""
        harm = (self.lost, self.doubled, self.images_wrong, self.not_restored)
        return not any(harm) and (self.written, self.status) == (self.rows, Status.COMPLETED)


class KillSeries:
    """One run, killed at random places."""

    def __init__(self, url: str, transform: str, rows: int, kills: int, **chosen: Any) -> None:
        self._engine = open_engine(url)
        keeps = self._engine.dialect.name != "sqlite"  # which must not be open in two processes after a fork
        self._desk = open_engine(url, pool=sa.QueuePool if keeps else sa.NullPool)
        """For looking on; no child uses it."""
        self._transform = TRANSFORMS[transform]
        self._settings = settings(**chosen, max_batch_size=chosen["batch_size"], lock_seconds=10, attempts=20)
        self._rows = rows
        self._kills = kills

    def run(self, dice: random.Random) -> Siege:
        """Kill, resume, and count; then undo what has images, and kill that."""
        with opened(self._engine) as database:
            Ledger(database).ensure()
        seed(self._engine, self._rows)
        started = time.perf_counter()
        kills = self._besiege(self._fill, self._rows_written, self._rows, dice)
        counted = tally(self._engine)
        status, written = outcome(self._engine, self._transform.name)
        siege = Siege(self._transform.name, self._rows, kills, counted.lost, counted.doubled, written, status, 0.0)
        if self._settings.keep_undo:
            siege = self._undo_under_fire(siege, dice)
        return replace(siege, seconds=round(time.perf_counter() - started, 1))

    def _undo_under_fire(self, siege: Siege, dice: random.Random) -> Siege:
        wrong = wrong_images(self._engine, self._rows)
        batches = self._batches_left()
        kills = self._besiege(self._undo, lambda: batches - self._batches_left(), batches, dice)
        left = len(image_tables(self._engine)) + not_as_seeded(self._engine, self._rows)
        return replace(siege, kills=siege.kills + kills, images_wrong=wrong, not_restored=left)

    def _besiege(self, work: Callable[[], None], progress: Callable[[], int], goal: int, dice: random.Random) -> int:
        """Kill the work at random places up to its goal, and let it end; gives how often it was killed."""
        places = sorted(dice.randrange(goal) for _ in range(self._kills))
        kills = sum(self._kill_at(place, work, progress, dice) for place in places)
        assert in_child(work) == SURVIVED, "the last one did not complete"
        return kills

    def _kill_at(self, place: int, work: Callable[[], None], progress: Callable[[], int], dice: random.Random) -> bool:
        """Start the work, and kill it some moments after it has come to `place`; False if it was done before."""
        process = os.fork()
        if process == 0:
            os._exit(in_this_process(work))
        while progress() < place and os.waitpid(process, os.WNOHANG)[0] == 0:
            time.sleep(0.002)
        time.sleep(dice.uniform(0, LONGEST_BATCH_SECONDS))
        try:
            os.kill(process, signal.SIGKILL)
            return os.WIFSIGNALED(os.waitpid(process, 0)[1])
        except (ProcessLookupError, ChildProcessError):
            return False

    def _fill(self) -> None:
        run_on(self._engine, self._transform, self._settings)

    def _undo(self) -> None:
        with opened(self._engine, self._settings) as database:
            undo(database, self._transform.name, self._settings)

    def _rows_written(self) -> int:
        return self._sum("rows_written")

    def _batches_left(self) -> int:
        return self._sum("seq")

    def _sum(self, column: str) -> int:
        with self._desk.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT sum({column}) FROM backfill_slice").scalar() or 0)


def wrong_images(engine: sa.Engine, rows: int) -> int:
    """How many rows have no image that is exact, and how many images there are too many."""
    with opened(engine) as database:
        (image,) = (each for run in Ledger(database).runs() for each in Images(database).of_run(run.id))
        key, before, after = (sa.type_coerce(of[0], sa.BigInteger) for of in (image.keys, image.before, image.after))
        is_exact = sa.and_(before == STEP * key, after == STEP * key + 1)
        exact = sa.func.count(sa.distinct(sa.case((is_exact, key))))
        found = database.connection.execute(sa.select(exact, sa.func.count()).select_from(image.kept)).one()
    return int((rows - found[0]) + max(found[1] - rows, 0))


def not_as_seeded(engine: sa.Engine, rows: int) -> int:
    """How many rows are not as they were before the first run."""
    as_seeded = sa.select(sa.func.count()).where(people.c.n == STEP * people.c.id)
    with engine.connect() as connection:
        return rows - int(connection.execute(as_seeded).scalar_one())


def in_this_process(work: object) -> int:
    """Do the work; gives an exit code."""
    try:
        assert callable(work)
        work()
    except BaseException:  # whatever it is, this process ends here
        return 1
    return SURVIVED


def start_kills(url: sa.URL, transform: str, *flags: str, **options: int) -> subprocess.Popen[str]:
    """Start a series of kills in a process of its own."""
    command = [sys.executable, "-m", "tests.faults.kills", url.render_as_string(hide_password=False), transform]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


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
    parser.add_argument("--keep-undo", action="store_true", help="keep images, and undo the run in the end")
    parser.add_argument("--mutant", choices=mutants.DYING, help="kill a wrong protocol")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args(arguments)
    if options.mutant:
        mutants.plant(options.mutant)
    chosen = {"batch_size": options.batch, "workers": options.workers, "keep_undo": options.keep_undo}
    series = KillSeries(options.url, options.transform, options.rows, options.kills, **chosen)
    sys.stdout.write(json.dumps(asdict(series.run(random.Random(options.seed)))))


if __name__ == "__main__":
    main()
