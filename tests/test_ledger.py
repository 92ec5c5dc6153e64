"""What the ledger answers to whoever comes too late: somebody else has moved a run, or a slice of it, since."""

import stat
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from backfill.database import Database
from backfill.errors import Fenced, Refused, RunHeld
from backfill.fault import Fault, Faulted
from backfill.ledger import Ledger
from backfill.run import Run
from backfill.running.leases import Leases
from backfill.running.patience import Patience
from backfill.running.progress import Progress
from backfill.running.stop import StopRequest
from backfill.slices import Slices
from backfill.status import Status
from tests.faults.test_surroundings import READ_ONLY
from tests.faults.workloads import open_engine, opened
from tests.workspace import Workspace


@pytest.fixture
def database(workspace: Workspace) -> Iterator[Database]:
    """Give a database with a ledger."""
    with workspace.open() as database:
        Ledger(database).ensure()
        yield database


def entered(database: Database, name: str = "fill", status: Status = Status.RUNNING) -> Run:
    """Enter a run of one open slice."""
    ledger = Ledger(database)
    with database.transaction():
        run_id = ledger.register(name, status=status, fingerprint="", definition="", rows_estimated=1)
        Slices(database).add(run_id, "users", 0, (9,))
    run = ledger.latest(name)
    assert run is not None
    return run


def moved(database: Database, run: Run, status: Status) -> None:
    """Bring it to another status, in a transaction."""
    with database.transaction():
        Ledger(database).move(run, status)


def leases(database: Database) -> Leases:
    """What a worker claims slices by."""
    progress = Progress("fill")
    return Leases(database, "fill", "web-2 2 b", 30, Patience(database, 1, progress, StopRequest()), progress)


def test_of_two_that_enter_a_run_the_second_is_told(database: Database) -> None:
    """A name has one run at a time, by a unique index."""
    entered(database)
    with pytest.raises(RunHeld, match="fill was started by another process a moment ago"):
        entered(database)
    assert [run.name for run in Ledger(database).runs()] == ["fill"]


def test_who_moves_a_run_that_was_moved_is_told(database: Database) -> None:
    """The run stays where the other one brought it."""
    seen = entered(database)
    moved(database, seen, Status.PAUSED)
    with pytest.raises(Fenced, match="fill is not running any more"):
        moved(database, seen, Status.FAILED)
    latest = Ledger(database).latest("fill")
    assert latest is not None
    assert latest.status is Status.PAUSED


def test_a_run_begins_once(database: Database) -> None:
    """Its beginning is when it was first started, not when it went on."""
    ledger = Ledger(database)
    waiting = entered(database, status=Status.PENDING)
    begun = None
    for _ in range(2):
        with database.transaction():
            ledger.start(waiting, "f", keeps_undo=False)
        running = ledger.latest("fill")
        assert running is not None
        assert running.started_at is not None
        begun = begun or running.started_at
        assert running.started_at == begun
        moved(database, running, Status.PAUSED)
        paused = ledger.latest("fill")
        assert paused is not None
        waiting = paused


def test_what_was_taken_back_is_not_taken_back_again(database: Database) -> None:
    """Nor what never was."""
    ledger = Ledger(database)
    ledger.withdraw("fill")
    entered(database)
    for _ in range(2):
        ledger.withdraw("fill")
    latest = ledger.latest("fill")
    assert latest is not None
    assert latest.status is Status.UNDONE


def test_a_ledger_that_cannot_be_written_is_no_question_of_rights(tmp_path: Path) -> None:
    """A file that is read-only is told as such."""
    file = tmp_path / "test.db"
    sa.create_engine(f"sqlite:///{file}").connect().close()
    file.touch()
    file.chmod(stat.S_IRUSR)
    engine = sa.create_engine(f"sqlite:///file:{file}?mode=ro&uri=true", poolclass=sa.NullPool)
    with Database.of(engine) as database, pytest.raises(Faulted) as caught:
        Ledger(database).ensure()
    assert caught.value.fault is Fault.UNWRITABLE


def test_no_piece_is_cut_off_a_slice_that_was_taken_over(database: Database) -> None:
    """The front of it may be somebody else's already."""
    run, slices = entered(database), Slices(database)
    (seen,) = slices.of_run(run.id)
    with database.transaction():
        assert slices.claim(seen, "web-1 1 a", 30, from_owner=None)
    with pytest.raises(Fenced, match="nothing of it was taken"), database.transaction():
        slices.part(seen, (4,), "web-2 2 b", 30)
    assert len(slices.of_run(run.id)) == 1


def test_no_batch_of_a_slice_that_was_taken_over_is_undone(database: Database) -> None:
    """Whoever holds it now does."""
    run, slices = entered(database), Slices(database)
    (seen,) = slices.of_run(run.id)
    with database.transaction():
        assert slices.claim(seen, "web-1 1 a", 30, from_owner=None)
    with pytest.raises(Fenced, match="nothing of this batch was undone"), database.transaction():
        slices.retreat(seen, 0, 30)


def test_a_slice_of_a_run_that_was_ended_is_not_claimed(database: Database) -> None:
    """It was cancelled between the look and the claim."""
    run, slices = entered(database), Slices(database)
    (seen,) = slices.of_run(run.id)
    with database.transaction():
        slices.fence(run.id)
    with pytest.raises(Fenced, match="the run was ended by another process"):
        leases(database).claim(seen)


def test_a_slice_that_is_being_walked_is_not_claimed(database: Database) -> None:
    """A batch more was committed since, so somebody is at work."""
    run, slices = entered(database), Slices(database)
    (seen,) = slices.of_run(run.id)
    with database.transaction():
        slices.part(seen, (4,), "web-1 1 a", 30)
    with pytest.raises(RunHeld, match="fill is being run by another process"):
        leases(database).claim(seen)


def test_a_ledger_is_not_made_where_nothing_may_be_written(database_url: sa.URL) -> None:
    """That is no want of rights: the fault is told as it is, and the run may wait for better times."""
    engine = open_engine(database_url)
    with opened(engine) as database:
        database.connection.exec_driver_sql(READ_ONLY[engine.dialect.name])
        with pytest.raises(Faulted) as told:
            Ledger(database).ensure()
    assert told.value.fault is Fault.UNWRITABLE


def test_a_user_who_may_not_create_tables_is_told_the_ways_on(postgresql_url: sa.URL) -> None:
    """A revision makes them, or somebody who may."""
    guest = f"backfill_guest_{uuid4().hex[:8]}"
    with opened(open_engine(postgresql_url)) as database:
        for statement in (f"CREATE ROLE {guest}", "REVOKE CREATE ON SCHEMA public FROM PUBLIC", f"SET ROLE {guest}"):
            database.connection.exec_driver_sql(statement)
        with pytest.raises(Refused, match="may not create the tables of the ledger") as told:
            Ledger(database).ensure()
        for statement in ("RESET ROLE", f"DROP ROLE {guest}"):
            database.connection.exec_driver_sql(statement)
    assert told.value.code == "ledger-rights"
