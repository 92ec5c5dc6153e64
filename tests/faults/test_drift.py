"""A table that is altered while a run walks it: a column that it uses stops the run, any other lets it go on."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill.database import Database
from backfill.errors import DatabaseFailed, DefinitionChanged
from backfill.rows.opening import open_sources
from backfill.rows.tables import Tables
from backfill.rows.target import Target
from backfill.running.progress import Progress
from backfill.status import Status
from tests.faults.interleaving import ROWS, Stage
from tests.faults.statements import batches
from tests.faults.workloads import counts, label_by_row, outcome, people, run_on, seed, settings

SMALL = settings(batch_size=4, max_batch_size=4)


class Labelled(BaseModel):
    """What is written."""

    label: str | None


class Half(BaseModel):
    """What is read."""

    left_half: str | None


@backfill.transform("pairs")
def labelled(pair: Half) -> Labelled:
    """Label a pair by its left half."""
    return Labelled(label=pair.left_half)


SWAPPED = (
    "ALTER TABLE people RENAME COLUMN n TO spare",
    "ALTER TABLE people RENAME COLUMN m TO n",
    "ALTER TABLE people RENAME COLUMN spare TO m",
)
"""No statement of a run fails after these."""


@pytest.fixture
def stage(pooled: sa.Engine) -> Iterator[Stage]:
    """Give a run on a table with a second column of numbers."""
    people.create(pooled, checkfirst=True)
    alter(pooled, "ALTER TABLE people ADD COLUMN m BIGINT NOT NULL DEFAULT 0")
    yield Stage(pooled, label_by_row, SMALL)
    people.drop(pooled)


def alter(engine: sa.Engine, *statements: str) -> None:
    """Alter the table as a migration does."""
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_columns_that_swap_their_names_stop_the_run(stage: Stage) -> None:
    """The batch at hand is rolled back, and a resume is refused until somebody says that it is meant."""
    second = batches(stage.script)[1]
    meeting = stage.meet(second.start, lambda engine: alter(engine, *SWAPPED))
    assert isinstance(meeting.error, DefinitionChanged), meeting
    assert str(meeting.error).startswith("people was altered while label_by_row walked it: ")
    assert outcome(stage.engine, "label_by_row") == (Status.FAILED, ROWS // 2)
    with pytest.raises(DefinitionChanged, match="changed since its checkpoint"):
        stage.resume()
    alter(stage.engine, *SWAPPED)
    stage.resume()
    assert set(counts(stage.engine).values()) == {1}


def test_a_column_that_is_renamed_is_named(stage: Stage) -> None:
    """The database says it of a statement; people want to hear the table, the column and the way on."""
    second = batches(stage.script)[1]
    meeting = stage.meet(
        second.start, lambda engine: alter(engine, "ALTER TABLE people RENAME COLUMN label TO caption")
    )
    assert isinstance(meeting.error, DatabaseFailed), meeting
    assert str(meeting.error).startswith(
        "people.label is not there any more: it was renamed or dropped while label_by_row"
    )
    assert outcome(stage.engine, "label_by_row") == (Status.FAILED, ROWS // 2)
    alter(stage.engine, "ALTER TABLE people RENAME COLUMN caption TO label")
    stage.resume()
    assert set(counts(stage.engine).values()) == {1}


def test_a_table_that_is_renamed_is_named(pooled: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run has failed, and its ledger says so."""
    seed(pooled, ROWS)
    monkeypatch.setattr(Progress, "advance", lambda *_: alter(pooled, "ALTER TABLE people RENAME TO persons"))
    with pytest.raises(DatabaseFailed, match=r"^table people is not there any more"):
        run_on(pooled, label_by_row, SMALL)
    alter(pooled, "ALTER TABLE persons RENAME TO people")
    assert outcome(pooled, "label_by_row") == (Status.FAILED, SMALL.batch_size)
    monkeypatch.undo()
    run_on(pooled, label_by_row, SMALL)
    assert set(counts(pooled).values()) == {1}


def test_a_swap_with_a_neighbour_that_is_not_used_is_seen(pooled: sa.Engine) -> None:
    """Names and types of the columns that are used are the same as before, in the same order."""
    pairs = sa.Table("pairs", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    for name in ("left_half", "right_half", "label"):
        pairs.append_column(sa.Column(name, sa.String(20)))
    pairs.create(pooled)
    with Database.of(pooled) as database:
        (source,) = open_sources(database, labelled)
        assert isinstance(source, Target)
        assert source.shape_of(Tables(database).find("pairs")) == source.shape()
        for old, new in (("left_half", "spare"), ("right_half", "left_half"), ("spare", "right_half")):
            database.connection.exec_driver_sql(f"ALTER TABLE pairs RENAME COLUMN {old} TO {new}")
        assert source.shape_of(Tables(database).find("pairs")) != source.shape()
    pairs.drop(pooled)


def test_another_column_is_no_reason_to_stop(stage: Stage) -> None:
    """One that the transform does not use may come meanwhile."""
    second = batches(stage.script)[1]
    meeting = stage.meet(second.start, lambda engine: alter(engine, "ALTER TABLE people ADD COLUMN later INTEGER"))
    assert meeting.error is None
    assert set(meeting.at_the_end.values()) == {1}
