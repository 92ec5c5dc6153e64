"""Whether a run starts, goes on or has nothing to do, where others have changed rows or columns since."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import column, select, table

import backfill
from backfill import Delete, Rows
from backfill.database import Database
from backfill.errors import Refused, RowRejected
from backfill.planner import draft_plan
from backfill.rows.opening import open_sources
from backfill.running.runner import run
from backfill.running.undoer import undo
from backfill.settings import Settings
from backfill.testing.moments import sent
from tests.refusal import execute, fill, rows_of

TABLE = "CREATE TABLE parcels (id INTEGER NOT NULL PRIMARY KEY, grams INTEGER NOT NULL)"
ROWS = "INSERT INTO parcels (id, grams) VALUES (1, 10), (2, 20), (3, 30)"
EXPAND = "ALTER TABLE parcels ADD COLUMN kilos INTEGER"
DOWNGRADE = "ALTER TABLE parcels DROP COLUMN kilos"
KILOS = "SELECT kilos FROM parcels ORDER BY id"
GRAMS = "SELECT grams FROM parcels ORDER BY id"
KEEPING = Settings(batch_size=2, max_batch_size=2, keep_undo=True)


class Parcel(BaseModel):
    """Read."""

    id: int
    grams: int


class Kilos(BaseModel):
    """Written."""

    kilos: int


class Grams(BaseModel):
    """Written."""

    grams: int


@pytest.fixture
def parcels(engine: sa.Engine) -> sa.Engine:
    """Give three of them, on each database."""
    execute(engine, TABLE, ROWS, EXPAND)
    return engine


@backfill.transform("parcels")
def heavier(parcel: Parcel) -> Grams:
    """Not twice."""
    return Grams(grams=parcel.grams + 1)


@pytest.mark.parametrize("is_half_done", [False, True])
def test_a_column_that_was_made_anew_is_filled_anew(parcels: sa.Engine, is_half_done: bool) -> None:
    """The ledger knows of rows that were filled in a column which is gone: refused, and then filled from the start."""
    broken = {3} if is_half_done else set[int]()

    @backfill.transform("parcels")
    def weigh(parcel: Parcel) -> Kilos:
        """May stop in the second batch."""
        if parcel.id in broken:
            raise backfill.Rejected("not yet")
        return Kilos(kilos=parcel.grams)

    if is_half_done:
        with pytest.raises(RowRejected):
            fill(parcels, weigh)
    else:
        fill(parcels, weigh)
    broken.clear()
    execute(parcels, DOWNGRADE, EXPAND)
    with pytest.raises(
        Refused, match=r"no row of parcels holds a value there.*backfill run weigh --from-start"
    ) as found:
        fill(parcels, weigh)
    assert found.value.code == "columns-blank"
    with Database.of(parcels) as database:
        run(database, weigh, KEEPING, from_start=True)
    assert rows_of(parcels, KILOS) == [(10,), (20,), (30,)]


def test_a_filled_column_is_told_by_its_first_rows(parcels: sa.Engine) -> None:
    """A resume does not wait for a scan of the table."""

    @backfill.transform("parcels")
    def weigh(parcel: Parcel) -> Kilos:
        """In kilos."""
        return Kilos(kilos=parcel.grams)

    fill(parcels, weigh)
    with sent(parcels) as statements:
        fill(parcels, weigh)
    looks = [each for each in statements if "kilos IS NOT NULL" in each]
    assert len(looks) == 1
    assert "ORDER BY" in looks[0]


def test_a_table_that_was_emptied_is_no_reason_to_stop(parcels: sa.Engine) -> None:
    """There is no row that could hold a value."""

    @backfill.transform("parcels")
    def weigh(parcel: Parcel) -> Kilos:
        """In kilos."""
        return Kilos(kilos=parcel.grams)

    fill(parcels, weigh)
    execute(parcels, "DELETE FROM parcels")
    fill(parcels, weigh)


def test_rows_that_an_undo_left_are_not_changed_twice(parcels: sa.Engine) -> None:
    """They hold what was written and changed since; where all were put back, the next run is as the first."""
    with Database.of(parcels) as database:
        run(database, heavier, KEEPING)
        undo(database, "heavier", KEEPING)
        run(database, heavier, KEEPING)
        execute(parcels, "UPDATE parcels SET grams = 77 WHERE id = 2")
        undo(database, "heavier", KEEPING)
        with pytest.raises(Refused, match="would change rows twice") as found:
            run(database, heavier, KEEPING)
    assert found.value.code == "would-write-twice"
    assert "1 row stays as it is: it was changed since, " in str(found.value)
    assert "Restore these first; once that is done: backfill run heavier" in str(found.value)
    assert rows_of(parcels, GRAMS) == [(10,), (77,), (30,)]


def test_what_looks_at_rows_that_it_writes_is_not_repeated(parcels: sa.Engine) -> None:
    """By its own words nothing that it writes is read; the other rows are what it has made of them."""
    others = table("parcels", column("id"), column("grams")).alias("others")

    @backfill.transform("parcels")
    def add_up(parcel: Rows) -> dict[str, Any]:
        """With all before it."""
        return {"grams": select(sa.func.sum(others.c.grams)).where(others.c.id <= parcel.c.id).scalar_subquery()}

    lighter = select(others.c.id).where(
        others.c.grams < table("parcels", column("grams")).c.grams, others.c.id != table("parcels", column("id")).c.id
    )

    @backfill.transform("parcels", where=~lighter.exists())
    def drop_lightest(parcel: Parcel) -> Delete:
        """Each time there is another one."""
        return Delete()

    for transform in (add_up, drop_lightest):
        with Database.of(parcels) as database:
            repeatability = open_sources(database, transform)[0].repeatability
        assert (repeatability.by_nature, repeatability.shrinks) == (False, False)
        assert repeatability.reason == "it looks at other rows of parcels, which it writes"
        with Database.of(parcels) as database:
            assert "looks-at-written" in [each.code for each in draft_plan(database, transform, KEEPING).findings]
    fill(parcels, drop_lightest, rows=9)
    assert rows_of(parcels, GRAMS) == [(20,), (30,)]
