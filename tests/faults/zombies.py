"""Zombies: a worker is stopped at a statement, its run is taken over meanwhile, and it wakes up and goes on.

The stop is a real SIGSTOP, as of a swapped-out or frozen process: what it holds stays held until it wakes, or until the
server ends its session, if that comes first. It forks, so it is a process of its own:
`python -m tests.faults.zombies URL TRANSFORM`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

import sqlalchemy as sa

from backfill.errors import BackfillError
from backfill.status import Status
from tests.faults import mutants
from tests.faults.kills import in_this_process
from tests.faults.statements import batches, interrupted, recorded
from tests.faults.workloads import TRANSFORMS, open_engine, outcome, run_on, seed, settings, tally

ROWS, BATCH = 8, 4
LEASE_SECONDS = 1.0
SLACK_SECONDS = 0.5
"""So that a server has ended what was idle for a second, too."""


@dataclass(frozen=True)
class Haunting:
    """What zombies did to a run."""

    points: int = 0
    """Statements before which a worker was stopped."""
    taken_over: int = 0
    """Times that another one completed the run while the zombie slept; otherwise it was kept out by locks."""
    lost: int = 0
    doubled: int = 0
    unfinished: int = 0
    """Times that the run was not completed in the end, or the ledger's count was wrong."""
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether every zombie was harmless."""
        return self.points > 0 and not (self.lost or self.doubled or self.unfinished)


class Graveyard:
    """Stops workers of one transform, and wakes them when others are done."""

    def __init__(self, url: str, transform: str, idle_seconds: float) -> None:
        self._engine = open_engine(url)
        self._transform = TRANSFORMS[transform]
        sizes = {"batch_size": BATCH, "max_batch_size": BATCH}
        limits = {"lease_seconds": LEASE_SECONDS, "idle_seconds": idle_seconds, "lock_seconds": 0.3, "attempts": 2}
        self._settings = settings(**sizes, **limits)

    def positions(self) -> Sequence[int]:
        """Every statement of the second batch, and the one behind it."""
        seed(self._engine, ROWS)
        run_on(self._engine, self._transform, self._settings)
        seed(self._engine, ROWS)
        with recorded(self._engine) as statements:
            run_on(self._engine, self._transform, self._settings)
        second = batches(statements)[1]
        return range(second.start, second.stop + 1)

    def haunt(self, positions: Iterable[int]) -> Haunting:
        """Stop a worker at each of these statements."""
        started = time.perf_counter()
        found = Haunting()
        for position in positions:
            found = self._judge(found, is_taken_over=self._meet(position))
        return replace(found, seconds=round(time.perf_counter() - started, 1))

    def _meet(self, position: int) -> bool:
        """Let a worker stop there, another one come, and the first wake up; whether the other one got through."""
        seed(self._engine, ROWS)
        zombie = os.fork()
        if zombie == 0:
            os._exit(in_this_process(lambda: self._stop_at(position)))
        assert os.WIFSTOPPED(os.waitpid(zombie, os.WUNTRACED)[1]), f"it did not come to position {position}"
        time.sleep(LEASE_SECONDS + SLACK_SECONDS)
        is_through = self._try()
        os.kill(zombie, signal.SIGCONT)
        os.waitpid(zombie, 0)
        return is_through

    def _stop_at(self, position: int) -> None:
        with interrupted(self._engine, position, lambda: os.kill(os.getpid(), signal.SIGSTOP)):
            run_on(self._engine, self._transform, self._settings)

    def _try(self) -> bool:
        try:
            run_on(self._engine, self._transform, self._settings)
        except BackfillError:
            return False
        return True

    def _judge(self, found: Haunting, *, is_taken_over: bool) -> Haunting:
        self._try()
        counted = tally(self._engine)
        is_finished = outcome(self._engine, self._transform.name) == (Status.COMPLETED, ROWS)
        return replace(
            found,
            points=found.points + 1,
            taken_over=found.taken_over + is_taken_over,
            lost=found.lost + (counted.lost > 0),
            doubled=found.doubled + (counted.doubled > 0),
            unfinished=found.unfinished + (not is_finished),
        )


def start_haunting(url: sa.URL, transform: str, *options: str) -> subprocess.Popen[str]:
    """Start it in a process of its own."""
    command = [sys.executable, "-m", "tests.faults.zombies", url.render_as_string(hide_password=False), transform]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_haunting(process: subprocess.Popen[str]) -> Haunting:
    """Wait for its end, and read what became of the runs."""
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    return Haunting(**json.loads(printed))


def main() -> None:
    """Stop workers, and print what became of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("transform", choices=TRANSFORMS)
    parser.add_argument("--idle", type=float, default=60, help="seconds until the server ends an idle session")
    parser.add_argument("--every", type=int, default=1, help="only at one of so many statements, the last among them")
    parser.add_argument("--mutant", choices=mutants.FENCING, help="haunt a wrong protocol")
    options = parser.parse_args()
    graveyard = Graveyard(options.url, options.transform, options.idle)
    positions = graveyard.positions()
    if options.mutant:
        mutants.plant(options.mutant)
    sys.stdout.write(json.dumps(asdict(graveyard.haunt(positions[:: -options.every]))))


if __name__ == "__main__":
    main()
