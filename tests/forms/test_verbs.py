"""What gate, verify and a second run say of forms whose rows cannot be looked at one by one."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy import column, func, select, table

import backfill
from backfill import Change, Delete, Insert, Rejected, Rows, Update, is_missing
from backfill.command.pages import verdict_page
from backfill.declaration.decorator import Transform
from backfill.errors import BackfillIncomplete, RowsWait
from backfill.gate import require_complete
from backfill.running.reconsideration import accept_rejections
from backfill.verifier import verify
from tests.faults.workloads import open_engine, opened, run_on, settings

ROWS = 6
SMALL = settings(batch_size=3, max_batch_size=3)
KEEPING = settings(batch_size=3, max_batch_size=3, keep_undo=True)


class Read(BaseModel):
    """Read."""

    id: int


class Filled(BaseModel):
    """Written."""

    n: int


class Met(BaseModel):
    """Inserted."""

    t_id: int


class Linked(BaseModel):
    """Written, with the key of what is inserted."""

    n: Insert[Met]


@backfill.transform("t", where=is_missing("n"), group_by="g", order_by="id")
def rank(rows: Rows) -> dict[str, Any]:
    """The place within a group."""
    return {"n": func.row_number().over(partition_by=rows.c.g, order_by=rows.c.id)}


@backfill.transform("t", where=is_missing("n"))
def link(row: Read) -> Linked:
    """Of which the database refuses the third, since 7 is there."""
    return Linked(n=Insert("u", Met(t_id=7 if row.id == 3 else row.id)))


@backfill.transform("t", where=is_missing("n"))
def fill_and_insert(row: Read) -> list[Filled | Insert]:
    """Not repeatable by nature, for all that is known before."""
    if row.id == 3:
        raise Rejected("no")
    return [Filled(n=1), Insert("u", {"t_id": row.id}, match="t_id")]


@backfill.transform("t", where=is_missing("n"))
def update_met(row: Read) -> Update:
    """This row, as any other."""
    return Update("t", {"n": 1}, id=row.id)


@backfill.transform("t")
def fill_and_leave(row: Read) -> list[Change | Filled]:
    """Written, and deleted at once if its number is even."""
    return [Filled(n=1), *([Delete()] if row.id % 2 == 0 else [])]


class Before(BaseModel):
    """Read."""

    id: int
    highest: int | None


_others = table("t", column("id"), column("n")).alias("others")


@backfill.transform(
    "t",
    where=is_missing("n"),
    lookups={"highest": select(func.max(_others.c.n)).where(_others.c.id < table("t", column("id")).c.id)},
)
def count_on(row: Before) -> Filled:
    """One more than those before, which are written as it goes on."""
    return Filled(n=(row.highest or 0) + 1)


@backfill.transform("t", where=is_missing("n"))
def fill_third(row: Read) -> Filled | None:
    """And leave the others."""
    return Filled(n=1) if row.id == 3 else None


@pytest.fixture
def tables(database_url: sa.URL) -> Iterator[sa.Engine]:
    """Give an engine on a database with rows that wait, and a table beside them."""
    engine = open_engine(database_url)
    made = sa.MetaData()
    t = sa.Table(
        "t", made, sa.Column("id", sa.Integer, primary_key=True), sa.Column("g", sa.Integer), sa.Column("n", sa.Integer)
    )
    u = sa.Table("u", made, sa.Column("id", sa.Integer, primary_key=True), sa.Column("t_id", sa.Integer, unique=True))
    made.create_all(engine)
    with engine.begin() as connection:
        connection.execute(t.insert(), [{"id": key, "g": key % 2} for key in range(1, ROWS + 1)])
        connection.execute(u.insert(), {"id": 70, "t_id": 7})
    yield engine
    engine.dispose()


def add_row(engine: sa.Engine) -> None:
    """One that comes after the run."""
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO t (id, g) VALUES (7, 1)")


def found(engine: sa.Engine) -> dict[int, int | None]:
    """What the rows hold."""
    with engine.connect() as connection:
        return {row[0]: row[1] for row in connection.exec_driver_sql("SELECT id, n FROM t ORDER BY id")}


def test_a_window_function_is_asked_about_by_a_trial(tables: sa.Engine) -> None:
    """It may stand in no condition, so before and after the run it is computed and taken back."""
    with opened(tables) as database:
        with pytest.raises(BackfillIncomplete, match="rows of t still wait for rank"):
            require_complete(database, rank)
        assert verdict_page(verify(database, rank)).startswith("rank: some of 6 rows would still change")
    run_on(tables, rank, SMALL)
    assert found(tables) == {1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3}
    with opened(tables) as database:
        assert require_complete(database, rank) is None
        assert verify(database, rank).mismatches == []
    add_row(tables)
    run_on(tables, rank, SMALL)
    assert found(tables)[7] == 1


def test_a_row_that_the_database_refuses_is_a_row_that_waits(tables: sa.Engine) -> None:
    """With the code that it gave, and the command to type."""
    with opened(tables) as database, pytest.raises(BackfillIncomplete, match=r"backfill run link --max-rejections 1"):
        require_complete(database, link)
    with pytest.raises(RowsWait):
        run_on(tables, link, settings(batch_size=3, max_batch_size=3, max_rejections="1"))
    with opened(tables) as database, pytest.raises(BackfillIncomplete, match="backfill rejections link"):
        require_complete(database, link)


def test_accepted_rows_are_told_of_whatever_the_form(tables: sa.Engine) -> None:
    """Before a NOT NULL they count."""
    with pytest.raises(RowsWait):
        run_on(tables, fill_and_insert, settings(batch_size=3, max_batch_size=3, max_rejections="1"))
    with opened(tables) as database:
        accept_rejections(database, "fill_and_insert")
    run_on(tables, fill_and_insert, SMALL)
    with opened(tables) as database:
        assert "somebody has accepted that they stay" in str(require_complete(database, fill_and_insert))
        with pytest.raises(BackfillIncomplete, match="a NOT NULL that follows would fail"):
            require_complete(database, fill_and_insert, none_left=True)


@pytest.mark.parametrize(
    ("transform", "not_compared"),
    [
        (update_met, ["what was done to rows of t (update)"]),
        (fill_and_leave, ["what was done to rows of t (delete)"]),
        (
            count_on,
            ["rows of t whose values depend on others (a group, a look-up, a state, a step)"],
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_cannot_be_computed_again_is_no_mismatch(
    tables: sa.Engine, transform: Transform[..., Any], not_compared: list[str]
) -> None:
    """It is said."""
    run_on(tables, transform, KEEPING)
    with opened(tables) as database:
        verdict = verify(database, transform)
    assert (list(verdict.mismatches), list(verdict.not_compared)) == ([], not_compared)


def test_rows_that_are_left_are_told_once(tables: sa.Engine) -> None:
    """By the walk, and not by each look at what is left."""
    run = run_on(tables, fill_third, SMALL)
    assert (run.rows_read, run.tally.updated, run.tally.skipped) == (ROWS, 1, ROWS - 1)
