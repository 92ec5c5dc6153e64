"""Crash sweeps with images: a run that keeps them dies, or the undoing of one does, and all rows are as they were.

Run as a process of its own, `python -m tests.undo.crashes URL WHAT TRANSFORM …`, since it forks: pytest must not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace

import sqlalchemy as sa

from backfill.errors import BackfillError
from backfill.running.undoer import undo
from tests.faults import mutants
from tests.faults.crashes import CrashSweep, Sweep
from tests.faults.kinds import WORKLOADS
from tests.faults.statements import changing, first_transaction, recorded
from tests.faults.workloads import opened, run_on
from tests.undo.states import image_tables, state_of

ROWS, BATCH = 4, 2


class KeepingSweep(CrashSweep):
    """Kills a run that keeps images; once it is resumed to its end, undoing it must bring everything back."""

    def __init__(self, url: str, transform: str) -> None:
        super().__init__(url, transform, rows=ROWS, batch=BATCH, within="batch")
        self._settings = self._settings.model_copy(update={"keep_undo": True})

    def _reset(self) -> None:
        super()._reset()
        self._before = state_of(self._desk)

    def _judge(self, found: Sweep) -> Sweep:
        judged = super()._judge(found)
        return replace(judged, lost=judged.lost + (not self._comes_back()))

    def _comes_back(self) -> bool:
        with opened(self._desk, self._settings) as database:
            (undone,) = undo(database, self._transform.name, self._settings)
        return state_of(self._desk) == self._before and undone.left == 0 and not image_tables(self._desk)


class UndoingSweep(KeepingSweep):
    """Kills the undoing of a run; once it is resumed, everything must be as it was."""

    def _positions(self) -> Sequence[int]:
        self._reset()
        self._run()
        self._reset()
        with recorded(self._engine) as statements:
            self._run()
        begin = first_transaction(statements)
        return changing(statements, range(begin, len(statements) + 2))

    def _reset(self) -> None:
        super()._reset()
        run_on(self._desk, self._transform, self._settings)

    def _run(self) -> None:
        with opened(self._engine, self._settings) as database:
            undo(database, self._transform.name, self._settings)

    def _judge(self, found: Sweep) -> Sweep:
        try:
            with opened(self._desk, self._settings) as database:
                undo(database, self._transform.name, self._settings)
        except BackfillError:
            return replace(found, points=found.points + 1, unfinished=found.unfinished + 1)
        is_back = state_of(self._desk) == self._before and not image_tables(self._desk)
        return replace(found, points=found.points + 1, lost=found.lost + (not is_back))


SWEEPS = {"keeping": KeepingSweep, "undoing": UndoingSweep}


def main() -> None:
    """Sweep, and print what was found as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("what", choices=SWEEPS)
    parser.add_argument("transforms", nargs="+", choices=WORKLOADS)
    parser.add_argument("--mutant", choices=mutants.DYING, help="sweep a wrong protocol, until it shows")
    options = parser.parse_args()
    if options.mutant:
        mutants.plant(options.mutant)
    sweeps = {name: SWEEPS[options.what](options.url, name) for name in options.transforms}
    found = {name: asdict(sweep.sweep(until_found=options.mutant is not None)) for name, sweep in sweeps.items()}
    sys.stdout.write(json.dumps(found))


def start_sweep(url: sa.URL, *options: str) -> subprocess.Popen[str]:
    """Start a sweep in a process of its own."""
    command = [sys.executable, "-m", "tests.undo.crashes", url.render_as_string(hide_password=False)]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


if __name__ == "__main__":
    main()
