"""Every kind of write is taken back to the last row, on every database."""

import pytest
import sqlalchemy as sa

from backfill.declaration.definition import Kind
from backfill.running.undoer import undo
from backfill.status import Status
from tests.faults.kinds import WORKLOADS
from tests.faults.workloads import opened, run_on, settings
from tests.undo.states import image_tables, state_of

ROWS = 25

KEPT = sorted(name for name, load in WORKLOADS.items() if load.transform.definition.kind is not Kind.STEP)


@pytest.mark.parametrize("name", KEPT)
def test_all_rows_are_as_they_were(pooled: sa.Engine, name: str) -> None:
    """Run, see that something changed, undo: every table is as before, no image is left, and the run says so."""
    load, keeping = WORKLOADS[name], settings(keep_undo=True)
    load.seed(pooled, ROWS)
    before = state_of(pooled)
    assert run_on(pooled, load.transform, keeping).keeps_undo
    assert state_of(pooled) != before
    assert load.tally(pooled, ROWS).is_exact
    with opened(pooled) as database:
        (undone,) = undo(database, name, keeping)
    assert state_of(pooled) == before
    assert (undone.run.status, undone.left) == (Status.UNDONE, 0)
    assert image_tables(pooled) == []
    run_on(pooled, load.transform)
    assert load.tally(pooled, ROWS).is_exact
