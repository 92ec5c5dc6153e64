"""Pause and cancel, asked for from another process than the one that runs."""

from collections.abc import Callable

import pytest

from backfill.database import Database
from backfill.dialect import Limits
from backfill.errors import Exhausted, IllegalMove, Refused
from backfill.ledger import Ledger
from backfill.run import Run
from backfill.running import control
from backfill.running.control import cancel_run, pause_run
from backfill.slices import Slices
from backfill.status import Status
from tests.workspace import Workspace

Verb = Callable[[Database, str], Run]


def enter_run(workspace: Workspace, status: Status) -> None:
    """Make a ledger with a run of one open slice, owned by somebody."""
    with workspace.open() as database:
        ledger = Ledger(database)
        ledger.ensure()
        with database.transaction():
            run_id = ledger.register("fill", status=Status.RUNNING, fingerprint="", definition="", rows_estimated=1)
            slices = Slices(database)
            slices.add(run_id, "users", 0, (9,))
            slices.claim(slices.of_run(run_id)[0], "web-1 1 a", 30, from_owner=None)
            run = ledger.latest("fill")
            assert run is not None
            if status is not Status.RUNNING:
                ledger.move(run, status)


@pytest.mark.parametrize("status", [Status.RUNNING, Status.PAUSED])
def test_pause(status: Status, workspace: Workspace) -> None:
    """The run is paused with its reason; its slice stays with its owner, who may finish the batch."""
    enter_run(workspace, status)
    with workspace.open() as database:
        run = pause_run(database, "fill")
        (slice_,) = Slices(database).of_run(run.id)
    assert (run.status, run.reason) == (Status.PAUSED, "paused by `backfill pause`")
    assert (slice_.is_open, slice_.epoch, slice_.owner) == (True, 1, "web-1 1 a")


@pytest.mark.parametrize("status", [Status.RUNNING, Status.PAUSED, Status.FAILED])
def test_cancel(status: Status, workspace: Workspace) -> None:
    """The run is given up, and its slice is closed to every worker that still holds it."""
    enter_run(workspace, status)
    with workspace.open() as database:
        run = cancel_run(database, "fill")
        (slice_,) = Slices(database).of_run(run.id)
    assert (run.status, run.reason) == (Status.CANCELLED, "cancelled by `backfill cancel`")
    assert (slice_.is_open, slice_.epoch, slice_.owner) == (False, 2, None)


@pytest.mark.parametrize(
    ("verb", "status"),
    [
        (pause_run, Status.FAILED),
        (pause_run, Status.COMPLETED),
        (pause_run, Status.CANCELLED),
        (cancel_run, Status.COMPLETED),
        (cancel_run, Status.CANCELLED),
        (cancel_run, Status.UNDONE),
    ],
)
def test_what_has_ended_stays_as_it_is(verb: Verb, status: Status, sqlite_workspace: Workspace) -> None:
    """A move that the status does not allow is refused and changes nothing."""
    enter_run(sqlite_workspace, status)
    with sqlite_workspace.open() as database:
        with pytest.raises(IllegalMove, match=f"fill is {status} and cannot become"):
            verb(database, "fill")
        run = Ledger(database).latest("fill")
    assert run is not None
    assert (run.status, run.reason) == (status, None)


@pytest.mark.parametrize("verb", [pause_run, cancel_run])
def test_a_name_without_a_run(verb: Verb, workspace: Workspace) -> None:
    """Without a ledger, or without a run, it is refused, and no ledger is made."""
    with workspace.open() as database:
        with pytest.raises(Refused, match="nobody has no run in this database"):
            verb(database, "nobody")
        assert not Ledger(database).exists()


@pytest.mark.parametrize("verb", [pause_run, cancel_run])
def test_a_locked_ledger_is_asked_again(
    verb: Verb, sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody writes it is tried again and again; in the end it is said, and nothing has changed."""
    enter_run(sqlite_workspace, Status.RUNNING)
    monkeypatch.setattr(control, "PATIENCE_SECONDS", 0.2)
    limits = Limits(lock_seconds=control.LOCK_SECONDS)
    with (
        sqlite_workspace.engine.connect() as writer,
        Database.of(sqlite_workspace.engine, limits) as database,
    ):
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Exhausted, match="ask again"):
            verb(database, "fill")
        writer.rollback()
        assert verb(database, "fill").status in (Status.PAUSED, Status.CANCELLED)
