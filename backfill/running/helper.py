"""Helper: walks pieces of a run beside its leader, in a thread or a process of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backfill.batch import Slice
from backfill.checks import Examination
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import DefinitionChanged
from backfill.ledger import Ledger
from backfill.rows.opening import open_sources
from backfill.run import Run
from backfill.running.admission import fingerprint_of
from backfill.running.collector import relaxed_collector
from backfill.running.crew import POLL_SECONDS, recall
from backfill.running.leases import Leases
from backfill.running.owner import colleague, is_colleague
from backfill.running.patience import explained
from backfill.running.pieces import Pieces, Share
from backfill.running.progress import Silence
from backfill.running.worker import Worker
from backfill.settings import Settings
from backfill.slices import Slices


@dataclass(frozen=True)
class Task:
    """What a helper is told."""

    run_id: int
    created_at: datetime
    """With the id it tells this run from those of other databases that an env.py connects to."""
    leader: str
    share: Share
    settings: Settings
    accept: Sequence[str]

    def is_about(self, run: Run | None) -> bool:
        """Whether this is the run meant."""
        return run is not None and (run.id, run.created_at) == (self.run_id, self.created_at)


def assist(task: Task, database: Database, transform: Transform[..., Any]) -> None:
    """Walk pieces of the run until there is none left to cut.

    Raises:
        DefinitionChanged: the transform is not the one that the leader has.
        RunFailed, Stopped: as they say.
    """
    with explained(), database.faults():
        run = Ledger(database).latest(transform.name)
        if run is None or not task.is_about(run):
            return
        sources = open_sources(database, transform)
        if fingerprint_of(transform, sources) != run.fingerprint:
            raise DefinitionChanged(f"{transform.name} was changed while its run was starting: run it again")
    with relaxed_collector():
        silence, owner = Silence(), colleague(task.leader)
        worker = Worker(database, sources, Examination(task.accept), task.settings.for_helper(), silence, recall())
        leases = Leases(database, run.name, owner, task.settings.lease_seconds, worker.patience, silence)
        pieces = Pieces(database, worker, leases, owner, task.share)
        _Helper(database, task, worker, pieces).work()


class _Helper:
    """One worker beside the leader."""

    def __init__(self, database: Database, task: Task, worker: Worker, pieces: Pieces) -> None:
        self._slices = Slices(database)
        self._task = task
        self._worker = worker
        self._pieces = pieces

    def work(self) -> None:
        """Take pieces of whatever slice the leader holds, until all slices are in the crew's hands."""
        with explained():
            while (open_ := self._open()) and not all(self._is_taken(slice_) for slice_ in open_):
                held = next((slice_ for slice_ in open_ if slice_.owner == self._task.leader), None)
                if held is None:  # the leader is about to hold the next one
                    self._worker.patience.heed_stop()
                    time.sleep(POLL_SECONDS)
                else:
                    self._pieces.walk_next(held)

    def _open(self) -> list[Slice]:
        return list(self._slices.open_of_run(self._task.run_id))

    def _is_taken(self, slice_: Slice) -> bool:
        """Whether it is a piece that one of the crew walks."""
        leader = self._task.leader
        return slice_.owner is not None and slice_.owner != leader and is_colleague(slice_.owner, leader)
