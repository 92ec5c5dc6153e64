"""Runner: brings a transform's run to `completed`, slice by slice, until the last sweep finds nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

from backfill.batch import Slice
from backfill.checks import Examination, preflight
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import (
    BackfillError,
    ChecksFailed,
    DefinitionChanged,
    Exhausted,
    Paused,
    RowRejected,
    RowsWait,
    RunFailed,
)
from backfill.fault import Fault, Faulted
from backfill.finding import Finding, Severity
from backfill.ledger import Ledger
from backfill.rejections import Rejections, Standing
from backfill.rows.opening import open_sources
from backfill.rows.source import Source
from backfill.rows.target import Target
from backfill.run import Run
from backfill.running.admission import Admission
from backfill.running.collector import relaxed_collector
from backfill.running.crew import Crew, Reach, crew_for
from backfill.running.helper import Task, assist
from backfill.running.leases import Leases
from backfill.running.owner import colleague, new_owner
from backfill.running.patience import explained
from backfill.running.pieces import Pieces, Share
from backfill.running.progress import Progress
from backfill.running.stop import StopRequest
from backfill.running.worker import Worker
from backfill.settings import Settings
from backfill.slices import Slices
from backfill.status import Status

SWEEPS = 5
"""Residual scans in a row that may find something; after them the application adds rows faster than we fill them."""

LOOK_SECONDS = 0.5
"""How often the leader of a crew looks what its helpers have done."""


def run(
    database: Database,
    transform: Transform[..., Any],
    settings: Settings,
    *,
    accept: Collection[str] = (),
    from_start: bool = False,
    reach: Reach | None = None,
) -> Run:
    """Start the transform's run, go on with it, or do nothing when it is complete.

    Args:
        database: where the rows and the ledger are.
        transform: what becomes of the rows.
        settings: sizes and limits.
        accept: codes of findings that are meant, such as "trigger"; "change" if the definition is meant to be another
            than the one the run was started with.
        from_start: forget the checkpoint and walk from the first row.
        reach: how other processes come to the same database and transform; without it, several workers are threads.

    Returns:
        The run as the ledger has it at the end: completed.

    Raises:
        Refused: as its subclasses say; nothing was written.
        RunFailed: the run cannot go on; its reason is in the ledger.
        Stopped: work is left; the same call goes on with it.
    """
    examination = Examination(accept)
    with explained():
        sources = open_sources(database, transform)
        findings = preflight(sources, examination)
        admitted = Admission(database, transform, sources, settings.keep_undo).admit(accept, from_start=from_start)
    if admitted.status is Status.COMPLETED:
        return admitted
    with StopRequest() as stop, Progress(transform.name) as progress, relaxed_collector():
        _warn(progress, findings)
        crew = crew_for(database, transform, sources, settings, progress, reach)
        worker = Worker(database, sources, examination, settings.for_leader(crew is not None), progress, stop)
        return _Session(database, admitted, settings, worker, progress, crew).finish()


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
        settings: Settings,
        worker: Worker,
        progress: Progress,
        crew: Crew | None,
    ) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._slices = Slices(database)
        self._rejections = Rejections(database, admitted.id)
        self._run = admitted
        self._settings = settings
        self._sources = worker.sources
        self._worker = worker
        self._progress = progress
        self._crew = crew
        self._looked_at = time.monotonic()
        owner, lease = new_owner(), settings.lease_seconds
        self._leases = Leases(database, admitted.name, owner, lease, worker.patience, progress)
        share = Share.of(admitted.rows_estimated, settings.workers)
        self._pieces = Pieces(database, worker, self._leases, colleague(owner), share)
        self._task = Task(admitted.id, admitted.created_at, owner, share, settings, worker.examination.accepted)

    def finish(self) -> Run:
        """Walk every open slice, sweep until nothing is found, and complete the run."""
        self._progress.begin(self._run.rows_read, self._run.rows_estimated)
        with self._crew or nullcontext(), self._outcome_recorded():  # recorded first, so that helpers learn of it
            if self._crew is not None:
                self._walk_together(self._crew)
            self._walk_open_slices(self._worker.walk)
            self._forget_retried()
            self._sweep()
            self._require_none_rejected()
            self._worker.patience.record(lambda: self._ledger.complete(self._run))
        return self._latest()

    def _walk_open_slices(self, walk: Callable[[Slice], None]) -> None:
        for slice_ in self._slices.open_of_run(self._run.id):
            held = self._leases.claim(slice_)
            try:
                walk(held)
            finally:
                self._leases.release(held)

    # ── several workers ─────────────────────────────────────────────────────────────────────────────────────────

    def _walk_together(self, crew: Crew) -> None:
        """Hold slice after slice, of which all take pieces; what a dead helper leaves is walked afterwards."""
        crew.start(partial(assist, self._task))
        self._walk_open_slices(lambda held: self._walk_in_pieces(held, crew))
        while crew.is_at_work and (left := self._slices.open_of_run(self._run.id)):
            self._look_up()
            if any(slice_.has_lapsed for slice_ in left):
                crew.dismiss()
            crew.wait()
            crew.heed()
        crew.heed()
        if crew.has_deserters:
            self._progress.say("a helper is missing: it died, or could not connect; its rows are walked by the others")

    def _walk_in_pieces(self, held: Slice, crew: Crew) -> None:
        while self._pieces.walk_next(held):
            crew.heed()
            self._look_up()

    def _look_up(self) -> None:
        """Tell of what the helpers have done, and heed who wants us to stop."""
        self._worker.patience.heed_stop()
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._looked_at = time.monotonic()
            now = self._latest()
            self._progress.catch_up(now.rows_read, now.rows_written - self._run.rows_written)

    # ── what came late ──────────────────────────────────────────────────────────────────────────────────────────

    def _sweep(self) -> None:
        """Scan for rows that committed behind the checkpoint: done is when a whole scan changes nothing."""
        if not self._first.repeatability.shrinks or self._nothing_matches():
            return
        for _ in range(SWEEPS):
            latest = self._latest_sweep()
            if latest and not sum(slice_.rows_written for slice_ in latest):
                return
            self._cut_sweep(latest[0].sweep + 1 if latest else 1)
            self._walk_open_slices(self._worker.walk)
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
                    return not any(source.has_match() for source in self._sources.values())
            except Faulted as error:
                if error.fault is Fault.TOO_SLOW:
                    return False
                raise

        return self._worker.patience.patiently(look)

    def _latest_sweep(self) -> list[Slice]:
        slices = self._slices.of_run(self._run.id)
        number = max(slice_.sweep for slice_ in slices)
        return [slice_ for slice_ in slices if slice_.sweep == number] if number else []

    def _cut_sweep(self, number: int) -> None:
        def cut() -> None:
            for source in self._sources.values():
                self._slices.add(self._run.id, source.name, number, source.last_key())

        self._worker.patience.record(cut)

    # ── endings ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _forget_retried(self) -> None:
        """Every row has been taken again; those that were rejected again are open."""
        if self._rejections.count(Standing.RETRYING):
            self._worker.patience.record(self._rejections.drop_retried)

    def _require_none_rejected(self) -> None:
        waiting = self._rejections.count(Standing.OPEN)
        if waiting:
            some = "1 row that cannot be filled waits"
            if waiting > 1:
                some = f"{waiting:,} rows that cannot be filled wait"
            name = self._run.name
            raise RowsWait(f"{some}, and every other is filled. See why, and decide: backfill rejections {name}")

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
            if "backfill " not in str(error):
                error.add_note(self._way_on(error))
            raise

    def _way_on(self, error: BackfillError) -> str:
        again = f"backfill run {self._run.name}"
        walks = isinstance(self._first, Target)
        if walks and isinstance(error, RowRejected) and not self._settings.may_reject:
            return f"Correct it, then: {again}   Or leave rows like it out for now: {again} --max-rejections 1%"
        return f"Correct it, then: {again}"

    def _record(self, status: Status, error: BackfillError) -> None:
        try:
            now = self._latest()
            if now.status is Status.RUNNING:
                with self._database.transaction():
                    self._ledger.move(now, status, str(error))
        except (Faulted, BackfillError):
            return  # the reason reaches the user all the same, and the lease runs out by itself

    @property
    def _first(self) -> Source:
        """One of the tables, for what holds of all."""
        return next(iter(self._sources.values()))

    def _latest(self) -> Run:
        run = self._ledger.latest(self._run.name)
        assert run is not None, "runs are never deleted"
        return run
