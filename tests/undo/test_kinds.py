"""Every kind of write is taken back to the last row, on every database."""

from functools import partial

import pytest
import sqlalchemy as sa

from backfill.declaration.definition import Kind
from backfill.running.undoer import undo
from backfill.status import Status
from tests.faults.kinds import WORKLOADS
from tests.faults.workloads import TRANSFORMS, open_engine, opened, run_on, seed, settings, tally, visit_people
from tests.undo.states import image_tables, state_of

ROWS = 25

MANY = 4_000

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


@pytest.mark.parametrize("name", ["count_in_sql", "count_by_row"])
def test_what_several_workers_wrote_is_taken_back(server_url: sa.URL, name: str) -> None:
    """Threads and processes keep their images in the same tables, and one process puts all rows back."""
    engine, transform = open_engine(server_url), TRANSFORMS[name]
    keeping = settings(keep_undo=True, workers=2, batch_size=100, max_batch_size=100)
    seed(engine, MANY)
    before = state_of(engine)
    reach = partial(visit_people, server_url.render_as_string(hide_password=False), name)
    assert run_on(engine, transform, keeping, reach=reach).rows_written == MANY
    assert tally(engine).is_exact
    with opened(engine) as database:
        (undone,) = undo(database, name, keeping)
    assert (undone.restored, undone.left) == (MANY, 0)
    assert state_of(engine) == before
