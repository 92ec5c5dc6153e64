"""The end of a batch is reckoned where nearly every whole number is a key, and looked for where it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import column

import backfill
from backfill import Delete, Insert, Rejected
from backfill.batch import Batch, Tally
from backfill.errors import Refused, RowRejected, RowsWait
from backfill.rows.cutter import Cutter
from backfill.rows.opening import open_sources
from backfill.rows.places import Places
from tests.faults.workloads import (
    STEP,
    Counted,
    Counter,
    count_by_row,
    count_in_sql,
    counts,
    label_in_sql,
    open_engine,
    opened,
    people,
    refuse_seventh,
    run_on,
    seed,
    settings,
    tally,
)

ROWS, BATCH = 1_000, 50
FIRST = -(ROWS // 4)
COUNTING = [pytest.param(each, id=each.name) for each in (count_in_sql, count_by_row, label_in_sql)]
GAPS: dict[str, Callable[[], Any]] = {
    "none": sa.false,
    "few": lambda: people.c.id % 10 == 3,
    "most": lambda: people.c.id % 10 != 3,
    "one wide": lambda: people.c.id.between(-100, 400),
    "first": lambda: people.c.id < FIRST + BATCH,
    "last": lambda: people.c.id.between(ROWS // 2, FIRST + ROWS - 2),
}


class Watched:
    """What a run cut, and how often it looked."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.batches: list[Batch] = []
        self.looks = 0
        self.counts = 0
        counted, nth, count = Cutter.counted, Places.nth, Places.count

        def note_batch(cutter: Cutter, batch: Batch, written: Tally) -> Batch:
            self.batches.append(counted(cutter, batch, written))
            return self.batches[-1]

        def note_look(*given: Any) -> Any:
            self.looks += 1
            return nth(*given)

        def note_count(*given: Any) -> Any:
            self.counts += 1
            return count(*given)

        patch.setattr(Cutter, "counted", note_batch)
        patch.setattr(Places, "nth", note_look)
        patch.setattr(Places, "count", note_count)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Watch the runs from here on."""
    return Watched(monkeypatch)


@pytest.fixture
def crowd(database_url: sa.URL) -> Iterator[sa.Engine]:
    """Give an engine on a database with people whose ids have no gaps."""
    engine = open_engine(database_url)
    seed(engine, ROWS)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("transform", COUNTING)
@pytest.mark.parametrize("gaps", GAPS.values(), ids=GAPS)
def test_every_row_is_counted_once_whatever_the_gaps(
    crowd: sa.Engine, transform: Any, gaps: Callable[[], Any], watched: Watched
) -> None:
    """By the transform, and by the ledger; and no batch has more rows than was said."""
    rows = without(crowd, gaps())
    run = run_on(crowd, transform, settings(batch_size=BATCH, max_batch_size=BATCH))
    assert tally(crowd).is_exact
    assert run.rows_read == run.rows_written == rows == sum(batch.rows for batch in watched.batches)
    assert max(batch.rows for batch in watched.batches) <= BATCH


def test_where_no_row_passes_it_ends_with_the_batch(crowd: sa.Engine, watched: Watched) -> None:
    """Of the rows that are there, and not of the numbers that it spans."""
    without(crowd, people.c.id % 10 == -3)

    @backfill.transform("people")
    def refuse_late(row: Counter) -> Counted:
        """Refuse every row from the second batch on."""
        if row.n >= STEP * (FIRST + BATCH + 5):
            raise Rejected("it is late")
        return Counted(n=row.n + 1)

    with pytest.raises(RowRejected, match="none of the last 45 rows passed"):
        run_on(crowd, refuse_late, settings(batch_size=BATCH, max_batch_size=BATCH, max_rejections="1000"))


@pytest.mark.parametrize("transform", COUNTING)
def test_without_gaps_nobody_looks(crowd: sa.Engine, transform: Any, watched: Watched) -> None:
    """But for the first batch, which has no key before it."""
    run_on(crowd, transform, settings(batch_size=BATCH, max_batch_size=BATCH))
    assert len(watched.batches) == ROWS // BATCH
    assert (watched.looks, watched.counts) == (1, 0)


def test_it_is_looked_for_until_the_gaps_are_over(crowd: sa.Engine, watched: Watched) -> None:
    """One batch is reckoned too far into the gaps, and then counted; behind them it is reckoned again."""
    without(crowd, sa.and_(people.c.id.between(0, 299), people.c.id % 10 != 3))
    run_on(crowd, count_in_sql, settings(batch_size=BATCH, max_batch_size=BATCH))
    assert [batch.rows for batch in watched.batches] == [50] * 5 + [5] + [50] * 9 + [25]
    assert (watched.looks, watched.counts) == (3, 1)  # the first, and two behind the sparse one: the second is dense


def test_rows_that_where_leaves_are_walked_too(crowd: sa.Engine) -> None:
    """As many as are there, though fewer are written."""
    with crowd.begin() as connection:
        connection.execute(people.update().where(people.c.id % 3 == 0).values(label="before"))
    done = sum(1 for key in range(FIRST, FIRST + ROWS) if key % 3 == 0)
    run = run_on(crowd, label_in_sql, settings(batch_size=BATCH, max_batch_size=BATCH))
    assert (run.rows_read, run.rows_written) == (ROWS, ROWS - done)


def test_what_takes_rows_away_looks_at_them_first(crowd: sa.Engine, watched: Watched) -> None:
    """Afterwards nobody could count them."""

    @backfill.transform("people", where=column("id") % 10 == 3)
    def leave(person: Counter) -> Delete | None:
        """Delete every other one of them."""
        return Delete() if person.n // STEP % 20 == 3 else None

    run = run_on(crowd, leave, settings(batch_size=BATCH, max_batch_size=BATCH))
    assert run.rows_read == ROWS
    assert watched.looks > 1
    assert all(batch.is_counted for batch in watched.batches)


class Tag(BaseModel):
    """Inserted."""

    name: str


class Tagged(BaseModel):
    """Written, with the key of what is inserted."""

    n: Insert[Tag]


@backfill.transform("people")
def tag_each(person: Counter) -> Tagged:
    """A tag of its own for everybody."""
    return Tagged(n=Insert("tags", Tag(name=str(person.n))))


def test_rows_inserted_are_not_taken_for_rows_that_were_there(crowd: sa.Engine, watched: Watched) -> None:
    """With as many of them as gaps, a batch would seem to have none."""
    rows = without(crowd, people.c.id % 10 > 5)
    tags = sa.Table("tags", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
    tags.create(crowd)
    run = run_on(crowd, tag_each, settings(batch_size=BATCH, max_batch_size=BATCH))
    assert (run.rows_read, run.tally.updated, run.tally.inserted) == (rows, rows, rows)
    with opened(crowd) as database:
        source = open_sources(database, tag_each)[0]
        assert (source.repeatability.by_nature, source.divisibility.is_divisible) == (False, False)
    with pytest.raises(Refused, match="it would change rows twice: it inserts the rows whose keys it writes"):
        run_on(crowd, tag_each, settings(), from_start=True)


def test_a_row_at_fault_is_found_among_gaps(crowd: sa.Engine, watched: Watched) -> None:
    """Batches are halved until it stands alone, though some of the numbers around it are no keys."""
    rows = without(crowd, sa.and_(people.c.id.between(1, 9), people.c.id != STEP - 3))
    with pytest.raises(RowsWait, match="1 row that cannot be filled waits, and every other is filled"):
        run_on(crowd, refuse_seventh, settings(batch_size=BATCH, max_batch_size=BATCH, max_rejections="1"))
    assert sum(batch.rows for batch in watched.batches) == rows
    assert [key for key, times in counts(crowd).items() if times != 1] == [STEP - 3]
    assert len(watched.batches) <= ROWS // BATCH + 2 * BATCH.bit_length()


def test_a_column_of_integers_that_holds_none(sqlite_url: sa.URL) -> None:
    """SQLite lets texts in, and nothing can be reckoned with them."""
    engine = open_engine(sqlite_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE people (id INTEGER NOT NULL UNIQUE, n INTEGER NOT NULL)")
        connection.exec_driver_sql("INSERT INTO people VALUES ('a', 0), ('b', 0), ('c', 0)")
    run = run_on(engine, count_in_sql, settings(batch_size=1, max_batch_size=1))
    assert run.rows_read == 3
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT n FROM people").scalars().all() == [1, 1, 1]


def without(engine: sa.Engine, gaps: Any) -> int:
    """Make gaps among the people; gives how many are left."""
    with engine.begin() as connection:
        connection.execute(people.delete().where(gaps))
        return int(connection.scalar(sa.select(sa.func.count()).select_from(people)) or 0)
