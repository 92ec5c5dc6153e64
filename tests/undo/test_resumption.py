"""A run that is to keep images keeps them however often it begins, and nothing is called undone that is not."""

from __future__ import annotations

import os
from typing import Any

import pytest
import sqlalchemy as sa

import backfill
from backfill.declaration.decorator import Transform
from backfill.errors import Refused, RowRejected, RunHeld
from backfill.ledger import Ledger
from backfill.rows.opening import open_sources
from backfill.running.admission import Admission
from backfill.running.owner import new_owner
from backfill.running.undoer import undo
from backfill.schema import slice_
from backfill.status import Status
from tests.faults.interleaving import Stage
from tests.faults.rivals import pauser
from tests.faults.statements import batches
from tests.faults.workloads import (
    Counted,
    Counter,
    count_by_row,
    counts,
    opened,
    outcome,
    run_on,
    seed,
    settings,
)

ROWS = 12
KEEPING, DROPPING, SAYING_NOTHING = settings(keep_undo=True), settings(keep_undo=False), settings()


@pytest.fixture
def failing_once() -> Transform[..., Any]:
    """Give a transform whose first call fails, so that its run ends before anything is written."""
    calls: list[Counter] = []

    @backfill.transform("people")
    def count_later(row: Counter) -> Counted:
        """Fail once."""
        calls.append(row)
        assert len(calls) > 1
        return Counted(n=row.n + 1)

    return count_later


def test_a_run_that_wrote_nothing_yet_keeps_images_when_it_goes_on(
    pooled: sa.Engine, failing_once: Transform[..., Any]
) -> None:
    """The call that goes on need not say it again."""
    seed(pooled, ROWS)
    with pytest.raises(RowRejected):
        run_on(pooled, failing_once, KEEPING)
    run_on(pooled, failing_once, SAYING_NOTHING)
    assert set(counts(pooled).values()) == {1}
    with opened(pooled) as database:
        (undone,) = undo(database, "count_later", SAYING_NOTHING)
    assert (undone.restored, undone.left) == (ROWS, 0)
    assert set(counts(pooled).values()) == {0}


def test_a_deferred_run_keeps_the_images_that_its_migration_asked_for(pooled: sa.Engine) -> None:
    """The command that carries it out need not say it again, either."""
    seed(pooled, ROWS)
    with opened(pooled) as database:
        Admission(database, count_by_row, open_sources(database, count_by_row), keep_undo=True).defer()
    run_on(pooled, count_by_row, SAYING_NOTHING)
    with opened(pooled) as database:
        (undone,) = undo(database, "count_by_row", SAYING_NOTHING)
    assert undone.restored == ROWS


def test_rows_written_without_images_are_never_called_undone(
    pooled: sa.Engine, failing_once: Transform[..., Any]
) -> None:
    """Though there is a table for images, from the call before."""
    seed(pooled, ROWS)
    with pytest.raises(RowRejected):
        run_on(pooled, failing_once, KEEPING)
    run_on(pooled, failing_once, DROPPING)
    with opened(pooled) as database, pytest.raises(Refused, match="keeps no images") as caught:
        undo(database, "count_later", SAYING_NOTHING)
    assert caught.value.code == "images-not-kept"
    assert outcome(pooled, "count_later") == (Status.COMPLETED, ROWS)


def test_a_run_at_work_is_not_undone_under_its_hands(pooled: sa.Engine) -> None:
    """Its worker is alive, and would be told to go on; it is cancelled or paused first."""
    stage = Stage(pooled, count_by_row, settings(batch_size=4, max_batch_size=4, keep_undo=True))
    stage.meet(batches(stage.script)[1].start, pauser("count_by_row"))
    alive = new_owner().replace(str(os.getpid()), str(os.getppid()))
    with opened(pooled) as database:
        run = Ledger(database).latest("count_by_row")
        assert run is not None
        with database.transaction():
            Ledger(database).start(run, run.fingerprint, keeps_undo=True)
            until = database.dialect.clock(60)
            database.connection.execute(slice_.update().values(owner=alive, lease_until=until))
        with pytest.raises(RunHeld, match=r"is being run by .* First: backfill cancel count_by_row"):
            undo(database, "count_by_row", KEEPING)
    assert outcome(pooled, "count_by_row")[0] == Status.RUNNING
