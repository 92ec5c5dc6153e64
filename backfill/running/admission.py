"""Admission: whether a transform's run starts, goes on where it stopped, or has nothing to do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import DefinitionChanged, Refused
from backfill.ledger import Ledger
from backfill.phrase import counted
from backfill.rows.outstanding import has_outstanding, is_blank
from backfill.rows.source import Source
from backfill.run import Run
from backfill.slices import Slices
from backfill.status import ACTIVE, Status

CHANGE = "change"
"""The code by which people say that a run may go on with a definition that changed."""

TWICE = "twice"
"""The code by which people say that rows were restored, so that nothing is done twice."""


class Admission:
    """Enters runs into the ledger, and lets them go on."""

    def __init__(
        self,
        database: Database,
        transform: Transform[..., Any],
        sources: Sequence[Source],
        keep_undo: bool | None = None,
    ) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._slices = Slices(database)
        self._transform = transform
        self._sources = sources
        self._fingerprint = fingerprint_of(transform, sources)
        self._is_undo_said = keep_undo is not None
        self._keep_undo = transform.definition.keep_undo if keep_undo is None else keep_undo
        """Of a new run."""

    def admit(self, accept: Collection[str] = (), *, from_start: bool = False) -> Run:
        """The run to go on with, `running` or already `completed`.

        Raises:
            DefinitionChanged: the run in the ledger was started with another definition.
            Refused: running again would apply the transform twice to some rows.
        """
        self._require_undoable()
        self._ledger.ensure()
        self._require_no_undoing()
        latest = self._ledger.latest(self._transform.name)
        if latest is not None and (from_start or _has_left_rows(latest)):
            self._require_harmless(latest, accept)
        if latest is not None and from_start:
            self._ledger.withdraw(latest.name)
            latest = None
        if latest is None or latest.status in (Status.UNDONE, Status.CANCELLED):
            return self._start()
        self._require_kept(latest)
        if latest.status in ACTIVE:
            return self._resume(latest, may_have_changed=CHANGE in accept)
        return self._after_the_end(latest)

    def defer(self) -> None:
        """Register the run for `backfill run`, unless one is registered already."""
        self._ledger.ensure()
        latest = self._ledger.latest(self._transform.name)
        if latest is None or latest.status is Status.UNDONE:
            with self._database.transaction():
                self._register(Status.PENDING)

    def _require_undoable(self) -> None:
        if self._keep_undo and self._sources[0].bound.performs:
            name = self._transform.name
            raise Refused(
                f"{name} is a step: it writes by itself, so no images can be kept of what it writes. Run it without: "
                f"backfill run {name} --no-keep-undo",
                code="step-without-images",
            )

    def _require_no_undoing(self) -> None:
        name = self._transform.name
        if any(run.status is Status.UNDOING for run in self._ledger.runs(name)):
            raise Refused(
                f"{name} is being undone, or was when that was interrupted. To go on: backfill undo {name}",
                code="undo-unfinished",
            )

    def _start(self) -> Run:
        with self._database.transaction():
            self._cut(self._register(Status.RUNNING))
        return self._latest()

    def _resume(self, run: Run, *, may_have_changed: bool) -> Run:
        is_new = run.status is Status.PENDING
        self._require_images(run)
        if run.fingerprint != self._fingerprint and run.rows_read and not (is_new or may_have_changed):
            name = self._transform.name
            raise DefinitionChanged(
                f"{name} changed since its checkpoint ({counted(run.rows_read, 'row')}): its code, its models or the "
                f"columns it uses. Go on with it as it is now: backfill run {name} --accept-change. "
                f"Start over: backfill run {name} --from-start{self._warning()}"
            )
        with self._database.transaction():
            self._ledger.start(run, self._fingerprint, keeps_undo=self._keeps_undo(run))
            if is_new:
                self._cut(run.id)
        return self._latest()

    def _keeps_undo(self, run: Run) -> bool:
        """Images that were promised are kept, unless nothing is written yet and the call says otherwise."""
        if run.rows_written:
            return run.keeps_undo
        return self._keep_undo if self._is_undo_said else self._keep_undo or run.keeps_undo

    def _require_images(self, run: Run) -> None:
        if self._keep_undo and run.rows_written and not run.keeps_undo:
            raise Refused(
                f"the run of {run.name} has written {counted(run.rows_written, 'row')} without images to undo by, and "
                f"none can be made any more. To go on without: backfill run {run.name} --no-keep-undo",
                code="images-missing",
            )

    def _after_the_end(self, run: Run) -> Run:
        """A completed run is started again where its own condition says that rows are left."""
        shrinks = self._sources[0].repeatability.shrinks
        return self._start() if shrinks and any(has_outstanding(source) for source in self._sources) else run

    def _require_kept(self, run: Run) -> None:
        """Refuse to go on behind rows whose columns are not the ones that were filled."""
        if run.rows_written and not self._sources[0].repeatability.asks and is_blank(self._sources[0]):
            raise Refused(
                f"{run.name} has written {counted(run.rows_written, 'row')}, and no row of {self._sources[0].name} "
                "holds a value there: the columns were emptied or made anew since. To fill them: "
                f"backfill run {run.name} --from-start",
                code="columns-blank",
            )

    def _warning(self) -> str:
        by_nature = self._sources[0].repeatability.by_nature
        return "" if by_nature else ", after restoring these rows: they would be changed twice"

    def _is_put_back(self, run: Run) -> bool:
        """Whether an undo has restored every row, or the columns are not the ones that were filled."""
        is_undone = run.status is Status.UNDONE and not any(slice_.seq for slice_ in self._slices.of_run(run.id))
        return (is_undone and run.reason is None) or is_blank(self._sources[0])

    def _require_harmless(self, run: Run, accept: Collection[str]) -> None:
        """Refuse to begin from the first row again where that would change rows twice, unless they were restored."""
        repeatability = self._sources[0].repeatability
        if repeatability.by_nature or not run.rows_written or TWICE in accept or self._is_put_back(run):
            return
        restored = f"once that is done: backfill run {run.name} --from-start --accept {TWICE}"
        way_on = f"Restore the rows first; {restored}"
        if run.status is Status.UNDONE and run.reason:
            way_on = f"{run.reason}. Restore these first; {restored}"
        elif run.keeps_undo:
            way_on = f"Undo it first: backfill undo {run.name}"
        raise Refused(
            f"{run.name} has written {counted(run.rows_written, 'row')} in a run that is {run.status}, and from the "
            f"first row on it would change rows twice: {repeatability.reason}. {way_on}",
            code="would-write-twice",
        )

    def _register(self, status: Status) -> int:
        estimates = [source.estimate() for source in self._sources]
        return self._ledger.register(
            self._transform.name,
            status=status,
            fingerprint=self._fingerprint,
            definition=self._transform.definition.model_dump_json(exclude={"code"}),
            rows_estimated=None if None in estimates else sum(estimate or 0 for estimate in estimates),
            keeps_undo=self._keep_undo,
        )

    def _cut(self, run_id: int) -> None:
        """One slice a table, up to the last key of this moment: later rows are the application's."""
        for source in self._sources:
            self._slices.add(run_id, source.name, 0, source.last_key())

    def _latest(self) -> Run:
        run = self._ledger.latest(self._transform.name)
        assert run is not None, "it has just been entered"
        return run


def _has_left_rows(run: Run) -> bool:
    """Whether it ended without being completed, and rows that it wrote stand; a reset is the author's word on them."""
    return run.status is Status.CANCELLED or (run.status is Status.UNDONE and run.reason is not None)


def fingerprint_of(transform: Transform[..., Any], sources: Sequence[Source]) -> str:
    """What decides what a row becomes: the definition, and the columns that it is tied to."""
    return transform.definition.fingerprint([source.shape() for source in sources])
