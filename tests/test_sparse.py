"""A condition that few rows meet: a batch looks at more rows than it takes, and never takes more than it may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backfill.batch import Batch, BatchSize, Tally
from backfill.running.worker import Worker
from tests.faults.workloads import label_by_row, label_in_sql, open_engine, people, run_on, seed, settings

ROWS, BATCH = 4_000, 10
FIRST = -(ROWS // 4)
CROWDED = FIRST + ROWS - 200
"""From this id on every row is still to be labelled; before it one in a hundred is."""


@pytest.mark.parametrize("transform", [label_by_row, label_in_sql], ids=lambda form: form.name)
def test_the_window_widens_and_a_batch_does_not(
    database_url: sa.URL, transform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few batches where few rows are taken; where suddenly all are, no batch is larger than was said."""
    engine = open_engine(database_url)
    seed(engine, ROWS)
    with engine.begin() as connection:
        is_done = sa.and_(people.c.id < CROWDED, people.c.id % 100 != 0)
        done = connection.execute(people.update().where(is_done).values(label="before")).rowcount
    batches = watched(monkeypatch)
    run = run_on(engine, transform, settings(batch_size=BATCH, max_batch_size=BATCH))
    assert (run.rows_read, run.rows_written) == (ROWS, ROWS - done)
    assert max(tally.updated for _, tally in batches) == BATCH
    assert max(batch.rows for batch, _ in batches) == BATCH * BatchSize.WIDEST
    assert len(batches) < ROWS / BATCH / 4
    with engine.connect() as connection:
        left = sa.select(sa.func.count()).select_from(people).where(people.c.label.is_(None))
        assert connection.execute(left).scalar_one() == 0


def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Batch, Tally]]:
    """The batches of runs from here on, with what became of them."""
    batches: list[tuple[Batch, Tally]] = []
    fill: Callable[..., Any] = Worker._fill

    def noted(worker: Worker, seen: Any, batch: Batch, check: Any) -> Any:
        tally, state = fill(worker, seen, batch, check)
        batches.append((batch, tally))
        return tally, state

    monkeypatch.setattr(Worker, "_fill", noted)
    return batches
