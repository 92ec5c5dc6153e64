"""Ledger: the runs of a database, kept beside the rows they fill; only this module writes them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from backfill import schema
from backfill.database import Database
from backfill.dialect import Dialect
from backfill.errors import Fenced, Refused, RunHeld
from backfill.escaping import excerpt
from backfill.fault import Fault, Faulted
from backfill.run import Run
from backfill.slices import COUNTS, Slices
from backfill.status import HOLDING, Status, require_move

_run, _slice = schema.run, schema.slice_


class Ledger:
    """The runs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection
        self._clock = database.dialect.clock
        self._is_there = False

    # ── the tables ──────────────────────────────────────────────────────────────────────────────────────────────

    def exists(self) -> bool:
        """Whether there is a ledger here; once it was seen it stays."""
        if not self._is_there:
            with self._database.faults():
                self._is_there = schema.exists(self._connection)
        return self._is_there

    def ensure(self) -> None:
        """Create the tables unless they are there."""
        if self.exists():
            return
        try:
            with self._database.faults():
                schema.create(self._connection)
        except Faulted as error:
            if error.fault is not Fault.UNKNOWN:
                raise
            raise Refused(
                f"this user may not create the tables of the ledger ({error.code}): let a revision of yours do it, by "
                "create_ledger() from backfill.alembic, or grant the right for one run",
                code="ledger-rights",
            ) from None

    # ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────

    def runs(self, name: str | None = None) -> Sequence[Run]:
        """Every run, or those of one name, oldest first. A ledger that is not there has none."""
        if not self.exists():
            return ()
        statement = _selecting(self._database.dialect, of_one_name=name is not None)
        with self._database.faults():
            return [Run.of(row) for row in self._connection.execute(statement, {"of_name": name})]

    def latest(self, name: str) -> Run | None:
        """The newest run of a name."""
        runs = self.runs(name)
        return runs[-1] if runs else None

    def newest(self, name: str) -> Run:
        """The newest run of a name that must have one.

        Raises:
            Refused: there is none.
        """
        newest = self.latest(name)
        if newest is None:
            raise Refused(
                f"{excerpt(name)} has no run in this database. See what there is: backfill status", code="no-run"
            )
        return newest

    def register(
        self,
        name: str,
        *,
        status: Status,
        fingerprint: str,
        definition: str,
        rows_estimated: int | None,
        keeps_undo: bool = False,
    ) -> int:
        """Enter a new run; raises RunHeld when another process has just entered one."""
        values = {
            "name": name,
            "active_name": name,
            "status": status,
            "fingerprint": fingerprint,
            "definition": definition,
            "server": self._database.dialect.identify(self._connection)[:200],
            "rows_estimated": rows_estimated,
            "keeps_undo": keeps_undo,
            "created_at": self._clock(),
            "started_at": self._clock() if status is Status.RUNNING else None,
            "updated_at": self._clock(),
        }
        try:
            (run_id,) = self._connection.execute(insert(_run).values(values)).inserted_primary_key or (0,)
        except IntegrityError:
            raise RunHeld(
                f"{name} was started by another process a moment ago. See it with: backfill status {name}"
            ) from None
        return int(run_id)

    def move(self, run: Run, status: Status, reason: str | None = None, **changes: Any) -> None:
        """Bring a run to another status, if it is still where it was seen; ends leases unless it goes on running."""
        require_move(run.name, run.status, status)
        values: dict[str, Any] = {"status": status, "reason": reason, "updated_at": self._clock(), **changes}
        values["active_name"] = run.name if status in HOLDING else None
        moved = self._connection.execute(
            update(_run).where(_run.c.id == run.id, _run.c.status == run.status).values(values)
        )
        if moved.rowcount != 1:
            raise Fenced(
                f"{run.name} is not {run.status} any more: another process moved it. See: backfill status {run.name}",
                goes_on=False,
            )

    def withdraw(self, name: str) -> None:
        """Take the newest run of a name back: no batch of it can commit any more, and the next run starts afresh."""
        latest = self.latest(name)
        if latest is not None and latest.status is not Status.UNDONE:
            with self._database.transaction():
                Slices(self._database).fence(latest.id)
                self.move(latest, Status.UNDONE)

    def start(self, run: Run, fingerprint: str, *, keeps_undo: bool) -> None:
        """Bring a run to `running`, from wherever it waits."""
        changes: dict[str, Any] = {"fingerprint": fingerprint, "keeps_undo": keeps_undo}
        if run.started_at is None:
            changes["started_at"] = self._clock()
        self.move(run, Status.RUNNING, **changes)

    def complete(self, run: Run) -> None:
        """Bring a run to `completed`."""
        self.move(run, Status.COMPLETED, completed_at=self._clock())


@cache
def _selecting(dialect: Dialect, *, of_one_name: bool) -> Select[Any]:
    """Built once, since a run asks for itself again and again."""
    at_work = case((_slice.c.owner.is_not(None), _slice.c.rows_per_second))
    totals = (
        select(
            _slice.c.run_id,
            func.sum(case((_slice.c.sweep == 0, _slice.c.rows_read), else_=0)).label("rows_read"),
            *(func.sum(_slice.c[name]).label(name) for name in COUNTS),
            func.coalesce(func.sum(at_work), func.max(_slice.c.rows_per_second)).label("rows_per_second"),
            func.max(_slice.c.updated_at).label("slices_updated_at"),
            func.max(_slice.c.owner).label("owner"),
            dialect.seconds_until(func.max(_slice.c.lease_until)).label("lease_left"),
        )
        .group_by(_slice.c.run_id)
        .subquery()
    )
    columns = [column for column in totals.c if column.name != "run_id"]
    statement = select(_run, *columns).outerjoin(totals, totals.c.run_id == _run.c.id).order_by(_run.c.id)
    return statement.where(_run.c.name == bindparam("of_name")) if of_one_name else statement
