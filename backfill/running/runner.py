"""Runner: brings a transform's run to `completed`, slice by slice, until the last sweep finds nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from backfill.batch import Slice
from backfill.checks import Examination, preflight
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import (
    BackfillError,
    ChecksFailed,
    DefinitionChanged,
    Exhausted,
    Fenced,
    Paused,
    RunFailed,
    RunHeld,
)
from backfill.fault import Fault, Faulted
from backfill.finding import Finding, Severity
from backfill.ledger import Ledger
from backfill.rows.opening import open_sources
from backfill.rows.source import Source
from backfill.run import Run
from backfill.running.admission import Admission
from backfill.running.collector import relaxed_collector
from backfill.running.owner import describe, is_dead, new_owner
from backfill.running.progress import Progress
from backfill.running.stop import StopRequest
from backfill.running.worker import Worker, explained
from backfill.settings import Settings
from backfill.status import Status

T = TypeVar("T")

SWEEPS = 5
"""Residual scans in a row that may find something; after them the application adds rows faster than we fill them."""

POLL_SECONDS = 0.25
"""How often the lease of another worker is looked at."""


def run(
    database: Database,
    transform: Transform[..., Any],
    settings: Settings,
    *,
    accept: Collection[str] = (),
    accept_change: bool = False,
    from_start: bool = False,
) -> Run:
    """Start the transform's run, go on with it, or do nothing when it is complete.

    Args:
        database: where the rows and the ledger are.
        transform: what becomes of the rows.
        settings: sizes and limits.
        accept: codes of findings that are meant, such as "trigger".
        accept_change: go on although the definition is not the one the run was started with.
        from_start: forget the checkpoint and walk from the first row.

    Returns:
        The run as the ledger has it at the end: completed.

    Raises:
        ChecksFailed: the live table does not fit the definition.
        Refused: as its subclasses say; nothing was written.
        RunFailed: the run cannot go on; its reason is in the ledger.
        Stopped: work is left; the same call goes on with it.
    """
    examination = Examination(accept)
    with explained():
        sources = open_sources(database, transform)
        findings = preflight(sources, examination)
        admission = Admission(database, transform, sources)
        admitted = admission.admit(accept_change=accept_change, from_start=from_start, accept=accept)
    if admitted.status is Status.COMPLETED:
        return admitted
    with StopRequest() as stop, Progress(transform.name) as progress, relaxed_collector():
        _warn(progress, findings)
        worker = Worker(database, {source.name: source for source in sources}, examination, settings, progress, stop)
        return _Session(database, admitted, sources, settings, worker, progress).finish()


def _warn(progress: Progress, findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.severity is Severity.WARNING:
            progress.say(finding.message)


class _Session:
    """One process's work on one run."""

    def __init__(
        self,
        database: Database,
        admitted: Run,
        sources: Sequence[Source],
        settings: Settings,
        worker: Worker,
        progress: Progress,
    ) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._run = admitted
        self._sources = sources
        self._settings = settings
        self._worker = worker
        self._progress = progress
        self._owner = new_owner()

    def finish(self) -> Run:
        """Walk every open slice, sweep until nothing is found, and complete the run."""
        self._progress.begin(self._run.rows_read, self._run.rows_estimated)
        with self._outcome_recorded():
            self._walk_open_slices()
            self._sweep()
            self._write(lambda: self._ledger.complete(self._run))
        return self._latest()

    def _walk_open_slices(self) -> None:
        for slice_ in self._ledger.slices(self._run.id):
            if slice_.is_open:
                self._walk(slice_)

    def _walk(self, slice_: Slice) -> None:
        held = self._claim(slice_)
        try:
            self._worker.walk(held)
        finally:
            self._release(held)

    def _sweep(self) -> None:
        """Scan for rows that committed behind the checkpoint: done is when a whole scan changes nothing."""
        if not self._sources[0].repeatability.shrinks or self._nothing_matches():
            return
        for _ in range(SWEEPS):
            latest = self._latest_sweep()
            if latest and not sum(slice_.rows_written for slice_ in latest):
                return
            self._cut_sweep(latest[0].sweep + 1 if latest else 1)
            self._walk_open_slices()
        if sum(slice_.rows_written for slice_ in self._latest_sweep()):
            raise Paused(
                "every sweep finds new rows to fill: the application adds rows without the new values. "
                f"Let it write them, then: backfill run {self._run.name}"
            )

    def _nothing_matches(self) -> bool:
        """One quick look before a scan in batches; a table too large for it is scanned in batches."""

        def look() -> bool:
            try:
                with self._database.transaction(keep=False):
                    return not any(source.has_match() for source in self._sources)
            except Faulted as error:
                if error.fault is Fault.TOO_SLOW:
                    return False
                raise

        return self._worker.patiently(look)

    def _latest_sweep(self) -> list[Slice]:
        slices = self._ledger.slices(self._run.id)
        number = max(slice_.sweep for slice_ in slices)
        return [slice_ for slice_ in slices if slice_.sweep == number] if number else []

    def _cut_sweep(self, number: int) -> None:
        def cut() -> None:
            for source in self._sources:
                self._ledger.add_slice(self._run.id, source.name, number, source.last_key())

        self._write(cut)

    def _write(self, work: Callable[[], T]) -> T:
        """One transaction on the ledger, taken again while others are in its way."""

        def transaction() -> T:
            with self._database.transaction():
                return work()

        return self._worker.patiently(transaction)

    # ── leases ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _claim(self, slice_: Slice) -> Slice:
        """Own the slice: at once if it is free or its owner is dead, else when its lease runs out unused."""
        while True:
            seen = self._reread(slice_)
            if seen.seq != slice_.seq:
                raise RunHeld(
                    f"{self._run.name} is being run by {_owner_of(seen)}: see backfill status {self._run.name}"
                )
            if not seen.is_open:
                raise Fenced(f"the run was ended by another process: see backfill status {self._run.name}")
            if self._try_claim(seen):
                return self._reread(slice_)
            self._worker.heed_stop()
            self._progress.wait_for_lease(_owner_of(seen), seen.lease_left)
            time.sleep(POLL_SECONDS)

    def _try_claim(self, seen: Slice) -> bool:
        dead = seen.owner if seen.owner and is_dead(seen.owner) else None
        lease = self._settings.lease_seconds
        return self._write(lambda: self._ledger.claim(seen, self._owner, lease, from_owner=dead))

    def _reread(self, slice_: Slice) -> Slice:
        with self._database.faults():
            return self._ledger.reread(slice_)

    def _release(self, held: Slice) -> None:
        with suppress(Faulted), self._database.transaction():  # a lease that stays runs out by itself
            self._ledger.release(held)

    # ── endings ─────────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _outcome_recorded(self) -> Iterator[None]:
        """Write into the ledger why a run stopped, as far as the database can still be reached."""
        try:
            with explained():
                yield
        except (Paused, Exhausted) as error:
            self._record(Status.PAUSED, error)
            raise
        except (RunFailed, ChecksFailed, DefinitionChanged) as error:
            self._record(Status.FAILED, error)
            raise

    def _record(self, status: Status, error: BackfillError) -> None:
        try:
            now = self._latest()
            if now.status is Status.RUNNING:
                with self._database.transaction():
                    self._ledger.move(now, status, str(error))
        except (Faulted, BackfillError):
            return  # the reason reaches the user all the same, and the lease runs out by itself

    def _latest(self) -> Run:
        run = self._ledger.latest(self._run.name)
        assert run is not None, "runs are never deleted"
        return run


def _owner_of(seen: Slice) -> str:
    return describe(seen.owner) if seen.owner else "another process"
