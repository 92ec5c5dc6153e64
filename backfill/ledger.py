"""Ledger: the runs and their slices; only this module writes them.

The guarded write in `advance` is checkpoint, fence, double-apply guard and the answer to "did my COMMIT arrive?"
at once: it names the epoch and the sequence number that this worker has seen, and it stands in the batch's own
transaction, after the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, Update, and_, bindparam, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from backfill import schema
from backfill.batch import Batch, Slice, Tally
from backfill.database import Database
from backfill.dialect import Dialect
from backfill.errors import Fenced, Refused, RunHeld
from backfill.fault import Fault, Faulted
from backfill.key import Key, encode_key
from backfill.run import Run
from backfill.status import ACTIVE, Status, require_move

_run, _slice = schema.run, schema.slice_
_COUNTS = ("rows_written", "rows_inserted", "rows_deleted", "rows_skipped")


class Ledger:
    """The runs of one database, kept beside the rows they fill."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection
        self._clock = database.dialect.clock

    # ── the tables ──────────────────────────────────────────────────────────────────────────────────────────────

    def exists(self) -> bool:
        """Whether there is a ledger here."""
        with self._database.faults():
            return schema.exists(self._connection)

    def ensure(self) -> None:
        """Create the tables unless they are there."""
        with self._database.faults():
            if schema.exists(self._connection):
                return
        try:
            with self._database.faults():
                schema.create(self._connection)
        except Faulted as error:
            if error.fault is not Fault.UNKNOWN:
                raise
            raise Refused(
                f"this user may not create the tables of the ledger ({error.code}): let a revision of yours do it, by "
                "create_ledger() from backfill.alembic, or grant the right for one run"
            ) from None

    # ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────

    def runs(self, name: str | None = None) -> Sequence[Run]:
        """Every run, or those of one name, oldest first. A ledger that is not there has none."""
        if not self.exists():
            return ()
        statement = self._select_runs()
        if name is not None:
            statement = statement.where(_run.c.name == name)
        with self._database.faults():
            return [Run.of(row) for row in self._connection.execute(statement)]

    def latest(self, name: str) -> Run | None:
        """The newest run of a name."""
        runs = self.runs(name)
        return runs[-1] if runs else None

    def register(
        self, name: str, *, status: Status, fingerprint: str, definition: str, rows_estimated: int | None
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
        if status not in ACTIVE:
            values["active_name"] = None
        moved = self._connection.execute(
            update(_run).where(_run.c.id == run.id, _run.c.status == run.status).values(values)
        )
        if moved.rowcount != 1:
            raise Fenced(
                f"{run.name} is not {run.status} any more: another process moved it. See: backfill status {run.name}"
            )

    def withdraw(self, name: str) -> None:
        """Take the newest run of a name back: no batch of it can commit any more, and the next run starts afresh."""
        latest = self.latest(name)
        if latest is not None and latest.status is not Status.UNDONE:
            with self._database.transaction():
                self.fence(latest)
                self.move(latest, Status.UNDONE)

    def start(self, run: Run, fingerprint: str) -> None:
        """Bring a run to `running`, from wherever it waits."""
        if run.started_at is None:
            self.move(run, Status.RUNNING, fingerprint=fingerprint, started_at=self._clock())
        else:
            self.move(run, Status.RUNNING, fingerprint=fingerprint)

    def complete(self, run: Run) -> None:
        """Bring a run to `completed`."""
        self.move(run, Status.COMPLETED, completed_at=self._clock())

    # ── slices ──────────────────────────────────────────────────────────────────────────────────────────────────

    def add_slice(self, run_id: int, table: str, sweep: int, hi: Key | None) -> None:
        """Cut a slice that ends at `hi`; without a last key there is nothing in it, and it is born closed."""
        number = select(func.coalesce(func.max(_slice.c.number), 0) + 1).where(_slice.c.run_id == run_id)
        self._connection.execute(
            insert(_slice).values(
                run_id=run_id,
                number=self._connection.execute(number).scalar_one(),
                table_name=table,
                sweep=sweep,
                hi=None if hi is None else encode_key(hi),
                epoch=0,
                seq=0,
                is_open=hi is not None,
                rows_read=0,
                rows_written=0,
                rows_inserted=0,
                rows_deleted=0,
                rows_skipped=0,
                updated_at=self._clock(),
            )
        )

    def slices(self, run_id: int) -> Sequence[Slice]:
        """All slices of a run, in the order in which they are walked."""
        with self._database.faults():
            rows = self._connection.execute(_selecting(self._database.dialect), {"of_run": run_id})
            return [Slice.of(row) for row in rows]

    def reread(self, held: Slice) -> Slice:
        """The slice as the ledger has it now: the only place from which a worker goes on."""
        statement = _selecting_one(self._database.dialect)
        return Slice.of(self._connection.execute(statement, {"of_run": held.run_id, "seen_number": held.number}).one())

    def state_before(self, seen: Slice) -> str | None:
        """The state in which the slices before this one were left."""
        earlier = select(_slice.c.state).where(
            _slice.c.run_id == seen.run_id, _slice.c.number < seen.number, _slice.c.state.is_not(None)
        )
        state: str | None = self._connection.execute(earlier.order_by(_slice.c.number.desc()).limit(1)).scalar()
        return state

    def claim(self, seen: Slice, owner: str, seconds: float, *, from_owner: str | None) -> bool:
        """Take a slice over: it is free, its lease has run out, or it is `from_owner`'s, who is dead."""
        free = or_(
            _slice.c.owner.is_(None), _slice.c.lease_until < self._clock(), _slice.c.owner == (from_owner or owner)
        )
        claimed = self._connection.execute(
            update(_slice)
            .where(_this(seen), _slice.c.epoch == seen.epoch, _slice.c.is_open, free)
            .values(epoch=seen.epoch + 1, owner=owner, lease_until=self._clock(seconds))
        )
        return claimed.rowcount == 1

    def advance(
        self,
        seen: Slice,
        batch: Batch,
        tally: Tally,
        *,
        lease_seconds: float,
        rate: float | None,
        state: str | None = None,
    ) -> None:
        """The guarded write that ends a batch; raises Fenced when the slice is not what this worker has seen."""
        advanced = self._connection.execute(
            _advancing(self._database.dialect, lease_seconds),
            {
                "of_run": seen.run_id,
                "seen_number": seen.number,
                "seen_epoch": seen.epoch,
                "seen_seq": seen.seq,
                "checkpoint": encode_key(batch.upto),
                "is_open": not batch.is_last,
                "more_read": batch.rows,
                "more_written": tally.written,
                "more_inserted": tally.inserted,
                "more_deleted": tally.deleted,
                "more_skipped": tally.skipped,
                "state": state,
                "rows_per_second": rate,
            },
        )
        if advanced.rowcount != 1:
            raise Fenced("another worker took this slice over, or the run was cancelled; this batch was rolled back")

    def release(self, held: Slice) -> None:
        """Give a slice back, if it is still ours."""
        self._connection.execute(
            update(_slice).where(_this(held), _slice.c.epoch == held.epoch).values(owner=None, lease_until=None)
        )

    def fence(self, run: Run) -> None:
        """From here on no batch of the run can commit, whoever is at work on it."""
        self._connection.execute(
            update(_slice)
            .where(_slice.c.run_id == run.id)
            .values(epoch=_slice.c.epoch + 1, is_open=False, owner=None, lease_until=None)
        )

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _select_runs(self) -> Select[Any]:
        left = self._database.dialect.seconds_until(func.max(_slice.c.lease_until))
        totals = (
            select(
                _slice.c.run_id,
                func.sum(case((_slice.c.sweep == 0, _slice.c.rows_read), else_=0)).label("rows_read"),
                *(func.sum(_slice.c[name]).label(name) for name in _COUNTS),
                func.max(_slice.c.rows_per_second).label("rows_per_second"),
                func.max(_slice.c.updated_at).label("slices_updated_at"),
                func.max(_slice.c.owner).label("owner"),
                left.label("lease_left"),
            )
            .group_by(_slice.c.run_id)
            .subquery()
        )
        columns = [column for column in totals.c if column.name != "run_id"]
        return select(_run, *columns).outerjoin(totals, totals.c.run_id == _run.c.id).order_by(_run.c.id)


# The statements of every batch are built once.


@cache
def _selecting(dialect: Dialect) -> Select[Any]:
    left = dialect.seconds_until(_slice.c.lease_until).label("lease_left")
    statement = select(_slice, left, _run.c.status).join(_run, _run.c.id == _slice.c.run_id)
    return statement.where(_slice.c.run_id == bindparam("of_run")).order_by(_slice.c.number)


@cache
def _selecting_one(dialect: Dialect) -> Select[Any]:
    return _selecting(dialect).where(_slice.c.number == bindparam("seen_number"))


@cache
def _advancing(dialect: Dialect, lease_seconds: float) -> Update:
    more = {name: _slice.c[name] + bindparam(name.replace("rows", "more")) for name in ("rows_read", *_COUNTS)}
    return (
        update(_slice)
        .where(_slice.c.run_id == bindparam("of_run"), _slice.c.number == bindparam("seen_number"))
        .where(_slice.c.epoch == bindparam("seen_epoch"), _slice.c.seq == bindparam("seen_seq"), _slice.c.is_open)
        .values(
            checkpoint=bindparam("checkpoint"),
            seq=_slice.c.seq + 1,
            is_open=bindparam("is_open"),
            state=bindparam("state"),
            rows_per_second=bindparam("rows_per_second"),
            lease_until=dialect.clock(lease_seconds),
            updated_at=dialect.clock(),
            **more,
        )
    )


def _this(slice_: Slice) -> Any:
    return and_(_slice.c.run_id == slice_.run_id, _slice.c.number == slice_.number)
