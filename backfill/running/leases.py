"""Leases: how a worker comes to hold a slice, and gives it back."""

from __future__ import annotations

import time
from contextlib import suppress

from backfill.batch import Slice
from backfill.database import Database
from backfill.errors import Fenced, RunHeld
from backfill.fault import Faulted
from backfill.running.owner import describe, is_dead
from backfill.running.patience import Patience
from backfill.running.progress import Progress
from backfill.slices import Slices

POLL_SECONDS = 0.25
"""How often the lease of another worker is looked at."""


class Leases:
    """Takes slices of one run for one owner."""

    def __init__(
        self, database: Database, name: str, owner: str, seconds: float, patience: Patience, progress: Progress
    ) -> None:
        self._database = database
        self._slices = Slices(database)
        self._name = name
        self._owner = owner
        self.seconds = seconds
        self._patience = patience
        self._progress = progress

    def claim(self, slice_: Slice) -> Slice:
        """Own the slice: at once if it is free or its owner is dead, else when its lease runs out unused."""
        while True:
            seen = self._reread(slice_)
            if seen.seq != slice_.seq:
                raise RunHeld(f"{self._name} is being run by {_owner_of(seen)}: see backfill status {self._name}")
            if not seen.is_open:
                raise Fenced(f"the run was ended by another process: see backfill status {self._name}", goes_on=False)
            if self._try(seen):
                return self._reread(slice_)
            self._patience.heed_stop()
            self._progress.wait_for_lease(_owner_of(seen), seen.lease_left)
            time.sleep(POLL_SECONDS)

    def release(self, held: Slice) -> None:
        """Give the slice back."""
        with suppress(Faulted), self._database.transaction():  # a lease that stays runs out by itself
            self._slices.release(held)

    def _try(self, seen: Slice) -> bool:
        dead = seen.owner if seen.owner and is_dead(seen.owner) else None
        return self._patience.record(lambda: self._slices.claim(seen, self._owner, self.seconds, from_owner=dead))

    def _reread(self, slice_: Slice) -> Slice:
        with self._database.faults():
            return self._slices.reread(slice_)


def _owner_of(seen: Slice) -> str:
    return describe(seen.owner) if seen.owner else "another process"
