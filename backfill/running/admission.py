"""Admission: whether a transform's run starts, goes on where it stopped, or has nothing to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import DefinitionChanged, Refused
from backfill.ledger import Ledger, Run
from backfill.outstanding import has_outstanding
from backfill.status import ACTIVE, Status
from backfill.target import Target


class Admission:
    """Enters runs into the ledger, and lets them go on."""

    def __init__(self, database: Database, transform: Transform[..., Any], targets: Sequence[Target]) -> None:
        self._database = database
        self._ledger = Ledger(database)
        self._transform = transform
        self._targets = targets
        self._fingerprint = transform.definition.fingerprint([target.shape() for target in targets])

    def admit(self, *, accept_change: bool = False, from_start: bool = False) -> Run:
        """The run to go on with, `running` or already `completed`.

        Raises:
            DefinitionChanged: the run in the ledger was started with another definition.
            Refused: running again would apply the transform twice to some rows.
        """
        latest = self._ledger.latest(self._transform.name)
        if latest is not None and from_start:
            self._ledger.withdraw(latest.name)
            latest = None
        if latest is None or latest.status is Status.UNDONE:
            return self._start()
        if latest.status in ACTIVE:
            return self._resume(latest, accept_change)
        return self._after_the_end(latest)

    def defer(self) -> None:
        """Register the run for `backfill run`, unless one is registered already."""
        latest = self._ledger.latest(self._transform.name)
        if latest is None or latest.status is Status.UNDONE:
            with self._database.transaction():
                self._register(Status.PENDING)

    def _start(self) -> Run:
        with self._database.transaction():
            self._cut(self._register(Status.RUNNING))
        return self._latest()

    def _resume(self, run: Run, accept_change: bool) -> Run:
        is_new = run.status is Status.PENDING
        if run.fingerprint != self._fingerprint and not (is_new or accept_change):
            name = self._transform.name
            raise DefinitionChanged(
                f"{name} changed since its checkpoint ({run.rows_read:,} rows): its code, its models or the columns it "
                f"uses. Go on with it as it is now: backfill run {name} --accept-change. "
                f"Start over: backfill run {name} --from-start"
            )
        with self._database.transaction():
            self._ledger.start(run, self._fingerprint)
            if is_new:
                self._cut(run.id)
        return self._latest()

    def _after_the_end(self, run: Run) -> Run:
        """A completed or cancelled run: only what is harmless to repeat is repeated unasked."""
        repeatability = self._targets[0].repeatability
        if run.status is Status.COMPLETED:
            left = repeatability.shrinks and any(has_outstanding(target) for target in self._targets)
            return self._start() if left else run
        if repeatability.by_nature or not run.rows_written:
            return self._start()
        raise Refused(
            f"{run.name} was cancelled after {run.rows_written:,} rows, and running it again would change them twice: "
            f"{repeatability.reason}. Restore the rows first, then: backfill run {run.name} --from-start"
        )

    def _register(self, status: Status) -> int:
        estimates = [target.estimate() for target in self._targets]
        return self._ledger.register(
            self._transform.name,
            status=status,
            fingerprint=self._fingerprint,
            definition=self._transform.definition.model_dump_json(exclude={"code"}),
            rows_estimated=None if None in estimates else sum(estimate or 0 for estimate in estimates),
        )

    def _cut(self, run_id: int) -> None:
        """One slice a table, up to the last key of this moment: later rows are the application's."""
        for target in self._targets:
            self._ledger.add_slice(run_id, target.name, 0, target.last_key())

    def _latest(self) -> Run:
        run = self._ledger.latest(self._transform.name)
        assert run is not None, "it has just been entered"
        return run
