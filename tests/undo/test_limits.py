"""Where images end: what cannot be undone or compared is said, and no error is taken for another."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill import Delete, Insert, Update
from backfill.declaration.writes import Verb
from backfill.errors import DatabaseFailed, Refused, RunFailed
from backfill.fault import Fault, Faulted
from backfill.rows.images import Image, Images
from backfill.rows.journal import Journal, NoImage, Taken
from backfill.rows.restoration import Restoration
from backfill.running.undoer import undo
from backfill.slices import Slices
from backfill.status import Status
from backfill.verifier import verify
from tests.faults.workloads import (
    Counted,
    Counter,
    count_in_sql,
    open_engine,
    opened,
    outcome,
    people,
    run_on,
    seed,
    settings,
)

ROWS = 12
KEEPING = settings(keep_undo=True)


class Person(BaseModel):
    """A key is all that is read."""

    id: int


def execute(engine: sa.Engine, *statements: str) -> None:
    """Do something behind backfill's back."""
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_table_without_a_key_cannot_be_kept(pooled: sa.Engine) -> None:
    """A row of it could not be found again; nothing is written."""
    seed(pooled, ROWS)
    execute(pooled, "CREATE TABLE marks (n INTEGER)", "INSERT INTO marks VALUES (1)")

    @backfill.transform("people")
    def mark(person: Person) -> Update | None:
        """Write to a table that has no key."""
        return Update("marks", {"n": 2}, n=1) if person.id == 1 else None

    with pytest.raises(RunFailed, match="update marks cannot be undone: it has no key"):
        run_on(pooled, mark, KEEPING)
    with pooled.connect() as connection:
        assert connection.exec_driver_sql("SELECT n FROM marks").scalars().all() == [1]


def test_a_database_that_tells_no_keys_of_new_rows_cannot_keep_them(
    pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MySQL and older releases are."""
    seed(pooled, ROWS)
    execute(pooled, "CREATE TABLE marks (id INTEGER PRIMARY KEY, n INTEGER)")
    monkeypatch.setattr(pooled.dialect, "insert_returning", False)

    @backfill.transform("people")
    def mark(person: Person) -> Insert:
        """Insert a row."""
        return Insert("marks", {"id": person.id, "n": 2})

    with pytest.raises(RunFailed, match="insert marks cannot be undone: this database does not tell which rows came"):
        run_on(pooled, mark, KEEPING)


def test_a_deleted_row_whose_number_the_database_insists_on_cannot_be_kept(postgresql_url: sa.URL) -> None:
    """Inserted again it would get another number."""
    engine = open_engine(postgresql_url)
    columns = "id INTEGER PRIMARY KEY, number INTEGER GENERATED ALWAYS AS IDENTITY"
    execute(engine, f"CREATE TABLE tickets ({columns})", "INSERT INTO tickets (id) VALUES (1)")

    @backfill.transform("tickets")
    def tear_up(ticket: Person) -> Delete:
        """Delete every row."""
        return Delete()

    with pytest.raises(RunFailed, match="delete tickets cannot be undone: it has a column that is GENERATED ALWAYS"):
        run_on(engine, tear_up, KEEPING)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM tickets").scalar() == 1


def test_a_row_that_comes_between_image_and_write_is_a_conflict(pooled: sa.Engine) -> None:
    """The batch is taken again, since nobody could undo that row."""
    seed(pooled, ROWS)
    run_on(pooled, count_in_sql, KEEPING)
    with opened(pooled) as database:
        (image,) = Images(database).of_run(1)
        journal = Journal(database)
        with pytest.raises(NoImage) as missing:
            journal.image_of(1, Verb.UPDATE, people, image.columns)
        journal.create(missing.value)
        (seen,) = Slices(database).of_run(1)
        record = journal.record(seen)
        taken = Taken(Verb.UPDATE, people, image.columns, [people.c.id == 1], None)
        with pytest.raises(Faulted, match="a row came in between") as caught, database.transaction():
            record.change(lambda: taken, lambda: 2)
    assert caught.value.fault is Fault.CONFLICT


def test_an_image_that_cannot_be_made_is_an_error(pooled: sa.Engine) -> None:
    """Only what another worker has made meanwhile is none."""
    seed(pooled, ROWS)
    run_on(pooled, count_in_sql, settings())
    nowhere = sa.Table(
        "nowhere", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("n", sa.Integer)
    )
    with opened(pooled) as database, pytest.raises(Faulted):
        Images(database).create(Image.of(1, "nowhere", Verb.UPDATE, ("id",), ("n",)), nowhere)


def test_a_column_that_is_gone_cannot_be_restored(pooled: sa.Engine) -> None:
    """The downgrade that drops it came first."""
    seed(pooled, ROWS)
    run_on(pooled, count_in_sql, KEEPING)
    execute(pooled, "ALTER TABLE people RENAME COLUMN n TO m")
    with opened(pooled) as database, pytest.raises(Refused, match=r"people\.n is not there any more") as caught:
        undo(database, "count_in_sql", KEEPING)
    assert caught.value.code == "images-outlived"
    execute(pooled, "ALTER TABLE people RENAME COLUMN m TO n")


@pytest.mark.parametrize("first", [Fault.UNKNOWN, Fault.ROW])
def test_an_error_that_nobody_knows_ends_the_undoing(
    pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch, first: Fault
) -> None:
    """In a batch, and where its rows are taken one by one; the same call goes on once it is mended."""
    seed(pooled, ROWS)
    run_on(pooled, count_in_sql, KEEPING)
    faults = iter([first, Fault.UNKNOWN])
    restore = Restoration.restore

    def fail(*_: Any) -> int:
        raise Faulted(next(faults), "XX000")

    monkeypatch.setattr(Restoration, "restore", fail)
    with opened(pooled) as database, pytest.raises(DatabaseFailed, match="XX000"):
        undo(database, "count_in_sql", KEEPING)
    monkeypatch.setattr(Restoration, "restore", restore)
    with opened(pooled) as database:
        (undone,) = undo(database, "count_in_sql", KEEPING)
    assert (undone.restored, undone.left) == (ROWS, 0)
    assert outcome(pooled, "count_in_sql")[0] == Status.UNDONE


def test_a_row_that_would_be_left_now_comes_out_otherwise(pooled: sa.Engine) -> None:
    """The function changed its mind about it."""
    seed(pooled, ROWS)
    is_first = [True]

    @backfill.transform("people")
    def waver(row: Counter) -> Counted | None:
        """Write each row once, and no row again."""
        return Counted(n=row.n + 1) if is_first[0] else None

    run_on(pooled, waver, KEEPING)
    is_first[0] = False
    with opened(pooled) as database:
        assert len(verify(database, waver).mismatches) == ROWS
