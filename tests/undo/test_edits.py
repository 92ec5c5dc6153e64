"""What others changed since stays as they left it, and is told of; everything else is as it was."""

from typing import Any

import pytest
import sqlalchemy as sa

import backfill
from backfill import Insert, Rows
from backfill.errors import Paused, Refused, RunFailed
from backfill.running.undoer import Undone, forget, undo
from backfill.status import Status
from tests.faults.interleaving import ROWS, Stage
from tests.faults.kinds import WORKLOADS, houses, members, notes
from tests.faults.statements import batches
from tests.faults.workloads import STEP, count_in_sql, counts, opened, people, run_on, settings
from tests.undo.states import image_tables, state_of

KEEPING = settings(keep_undo=True)


def run_kind(engine: sa.Engine, name: str, rows: int = 6) -> None:
    """Run one of the kinds with images; ids begin at -1."""
    WORKLOADS[name].seed(engine, rows)
    run_on(engine, WORKLOADS[name].transform, KEEPING)


def undo_all(engine: sa.Engine, name: str) -> list[Undone]:
    """Undo every run of a name."""
    with opened(engine) as database:
        return undo(database, name, KEEPING)


def execute(engine: sa.Engine, *statements: Any) -> None:
    """Do what an application does."""
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def numbers(engine: sa.Engine) -> dict[int, int]:
    """The number of each member."""
    with engine.connect() as connection:
        return {row.id: row.n for row in connection.execute(sa.select(members.c.id, members.c.n))}


def test_a_row_that_was_changed_since_stays(pooled: sa.Engine) -> None:
    """What was written is compared, and nothing else: another column's change neither hinders nor is lost."""
    run_kind(pooled, "place_in_team")
    execute(
        pooled,
        members.update().where(members.c.id == 1).values(n=777),
        members.update().where(members.c.id == 2).values(team="moved"),
        members.delete().where(members.c.id == 3),
    )
    (undone,) = undo_all(pooled, "place_in_team")
    assert numbers(pooled) == {key: STEP * key for key in (-1, 0, 2, 4)} | {1: 777}
    with pooled.connect() as connection:
        assert connection.scalar(sa.select(members.c.team).where(members.c.id == 2)) == "moved"
    assert undone.left == 2
    assert sorted(undone.named) == [("members", (1,)), ("members", (3,))]
    assert undone.run.status is Status.UNDONE
    assert undone.run.reason == "2 rows stay as they are: they were changed since, or others are in their way"
    assert undone.told_of_rest().endswith("to drop these: backfill forget place_in_team")


def test_a_new_row_that_was_changed_since_stays(pooled: sa.Engine) -> None:
    """The application has made it its own."""
    run_kind(pooled, "house_each")
    execute(pooled, houses.update().where(houses.c.name == "1").values(n=5))
    (undone,) = undo_all(pooled, "house_each")
    with pooled.connect() as connection:
        assert [tuple(row) for row in connection.execute(sa.select(houses.c.name, houses.c.n))] == [("1", 5)]
        assert connection.execute(sa.select(members.c.id).where(members.c.house_id.is_not(None))).all() == []
    assert undone.left == 1


def test_a_deleted_row_whose_key_was_given_again_stays_deleted(pooled: sa.Engine) -> None:
    """The new one is the application's."""
    run_kind(pooled, "move_in_sql")
    execute(pooled, members.insert().values(id=2, n=99, team="new"))
    (undone,) = undo_all(pooled, "move_in_sql")
    assert numbers(pooled) == {key: STEP * key for key in (-1, 0, 1, 3, 4)} | {2: 99}
    assert undone.left == 1
    with pooled.connect() as connection:
        assert connection.execute(sa.select(notes.c.text)).all() == []


def test_a_row_that_the_database_keeps_is_left_alone(pooled: sa.Engine) -> None:
    """A new row to which the application refers since cannot go: all others of its batch can."""
    run_kind(pooled, "three_notes")
    pooled.dispose()
    execute(pooled, sa.text("DROP TABLE IF EXISTS replies"))
    replies = sa.Table(
        "replies",
        sa.MetaData(),
        sa.Column("note_id", notes.c.id.type, sa.ForeignKey(notes.c.id), primary_key=True, autoincrement=False),
        mysql_engine="InnoDB",
    )
    replies.create(pooled)
    if pooled.dialect.name == "sqlite":
        sa.event.listen(pooled, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
        pooled.dispose()
    with pooled.connect() as connection:
        second = connection.scalar(sa.select(notes.c.id).where(notes.c.text == "b"))
    execute(pooled, replies.insert().values(note_id=second))
    (undone,) = undo_all(pooled, "three_notes")
    with pooled.connect() as connection:
        assert connection.execute(sa.select(notes.c.text)).scalars().all() == ["b"]
    assert (undone.restored, undone.left) == (2, 1)
    replies.drop(pooled)


def test_a_run_is_undone_from_wherever_it_stopped(pooled: sa.Engine) -> None:
    """Half a run is taken back; then it starts from the first row."""
    stage = Stage(pooled, count_in_sql, settings(batch_size=4, max_batch_size=4, keep_undo=True))
    before = state_of(pooled)

    def stop(_: sa.Engine) -> None:
        raise KeyboardInterrupt

    stage.reset()
    before = state_of(pooled)
    with pytest.raises(KeyboardInterrupt):
        stage.meet(batches(stage.script)[1].start, stop)
    assert sum(counts(pooled).values()) == ROWS // 2
    (undone,) = undo_all(pooled, "count_in_sql")
    assert undone.restored == ROWS // 2
    assert state_of(pooled) == before
    stage.resume()
    assert set(counts(pooled).values()) == {1}


def test_all_runs_are_undone_the_newest_first(pooled: sa.Engine) -> None:
    """A run that was started over has images of what the one before it wrote."""
    run_kind(pooled, "upsert_in_sql")
    once = state_of(pooled)
    run_on(pooled, WORKLOADS["upsert_in_sql"].transform, KEEPING, from_start=True, accept=("synchronous", "twice"))
    assert state_of(pooled) != once
    assert len(undo_all(pooled, "upsert_in_sql")) == 2
    assert numbers(pooled) == {key: STEP * key for key in range(-1, 5)}
    with pooled.connect() as connection:
        assert connection.execute(sa.select(houses.c.id)).all() == []


def test_undoing_twice_changes_nothing(pooled: sa.Engine) -> None:
    """There is nothing left to take back."""
    run_kind(pooled, "count_by_row")
    undo_all(pooled, "count_by_row")
    before = state_of(pooled)
    assert undo_all(pooled, "count_by_row") == []
    assert undo_all(pooled, "never_run") == []
    assert state_of(pooled) == before


def test_without_images_nothing_is_undone(pooled: sa.Engine) -> None:
    """A run that kept none, or whose images were dropped, is refused before anything is touched."""
    run_kind(pooled, "count_by_row")
    before = state_of(pooled)
    with opened(pooled) as database:
        assert forget(database, "count_by_row") == 1
        assert forget(database, "count_by_row") == 0
    assert image_tables(pooled) == []
    with pytest.raises(Refused, match="keeps no images of what they held, so nothing was undone"):
        undo_all(pooled, "count_by_row")
    assert state_of(pooled) == before
    with pytest.raises(Refused, match="count_by_step is a step"):
        run_kind(pooled, "count_by_step")


def test_images_are_all_or_none(pooled: sa.Engine) -> None:
    """A run that has written rows without them does not begin to keep them half-way."""
    stage = Stage(pooled, count_in_sql, settings(batch_size=4, max_batch_size=4))

    def pause(_: sa.Engine) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage.meet(batches(stage.script)[1].start, pause)
    with pytest.raises(Refused, match="To go on without: backfill run count_in_sql --no-keep-undo"):
        run_on(pooled, count_in_sql, KEEPING)
    run_on(pooled, count_in_sql, settings(keep_undo=False))
    assert set(counts(pooled).values()) == {1}


def test_a_run_waits_for_the_end_of_its_undoing(pooled: sa.Engine) -> None:
    """An undoing that was interrupted is gone on with; until then nothing new is written."""
    run_kind(pooled, "count_by_row", 30)

    class Stopping(Exception):
        """Something that nobody expects."""

    def stop(*_: Any) -> None:
        raise Stopping

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backfill.slices.Slices.retreat", stop)
        with pytest.raises(Stopping):
            undo_all(pooled, "count_by_row")
    with pytest.raises(Refused, match="is being undone, or was when that was interrupted"):
        run_on(pooled, WORKLOADS["count_by_row"].transform, KEEPING)
    with opened(pooled) as database, pytest.raises(Refused, match="and needs its images"):
        forget(database, "count_by_row")
    assert [each.run.status for each in undo_all(pooled, "count_by_row")] == [Status.UNDONE]
    assert set(counts(pooled).values()) == {0}


def test_no_edit_is_lost_whenever_it_is_made(pooled: sa.Engine) -> None:
    """The application changes a row at any statement of its batch: in the end it holds what the application wrote."""
    chosen = settings(batch_size=4, max_batch_size=4, keep_undo=True, attempts=3)
    stage = Stage(pooled, count_in_sql, chosen)
    edited = people.update().where(people.c.id == 0).values(n=555)
    acted = 0
    for position in batches(stage.script)[0]:
        meeting = stage.meet(position, lambda engine: execute(engine, edited))
        assert not isinstance(meeting.error, Paused), meeting
        acted += meeting.has_acted
        undo_all(pooled, "count_in_sql")
        with pooled.connect() as connection:
            found = connection.scalar(sa.select(people.c.n).where(people.c.id == 0))
        assert found == (555 if meeting.has_acted else 0), meeting
    assert acted >= 2


def test_a_table_without_a_key_is_not_written_to(pooled: sa.Engine) -> None:
    """Its rows could not be found again: the run says so before the first batch is committed."""
    WORKLOADS["note_twice"].seed(pooled, 6)
    execute(pooled, sa.text("DROP TABLE IF EXISTS scraps"), sa.text("CREATE TABLE scraps (scrap VARCHAR(20))"))

    @backfill.transform("members")
    def scrap(members: Rows) -> Insert:
        """Into a table in which nothing tells rows apart."""
        return Insert("scraps", {"scrap": members.c.team})

    with pytest.raises(RunFailed, match="insert scraps cannot be undone: it has no key"):
        run_on(pooled, scrap, KEEPING)
    with pooled.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM scraps")) == 0
    execute(pooled, sa.text("DROP TABLE scraps"))
