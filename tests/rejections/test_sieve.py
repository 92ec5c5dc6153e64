"""Rows that cannot be filled are kept out, entered with their reason, and every other row is filled once."""

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill.declaration.decorator import Transform
from backfill.errors import BackfillIncomplete, Refused, RowRejected, RowsWait
from backfill.gate import require_complete
from backfill.ledger import Ledger
from backfill.run import Run
from backfill.running.reconsideration import accept_rejections, rejections_of, retry_rejections
from backfill.status import Status
from tests.faults.workloads import open_engine, opened, run_on, settings
from tests.rejections.clinic import BAD, WAYS, by_ward, fill, invalid, mend, shrinking, visits

ROWS = 50
EXPECTED = {key: 1000 if key in BAD else 1 for key in range(1, ROWS + 1)}


class Note(BaseModel):
    """Read."""

    body: str


class Sized(BaseModel):
    """Written."""

    size: int


@backfill.transform("notes")
def measure(note: Note) -> Sized:
    """How many characters."""
    return Sized(size=len(note.body))


def sieved(engine: sa.Engine, transform: Transform[..., Any], most: str = "10", **changes: Any) -> Run:
    """Run with a budget."""
    return run_on(engine, transform, settings(max_rejections=most, **changes))


def latest(engine: sa.Engine, name: str) -> Run:
    """The newest run."""
    with opened(engine) as database:
        run = Ledger(database).latest(name)
    assert run is not None
    return run


def rejected(engine: sa.Engine, name: str) -> dict[int, str]:
    """Why rows were rejected, by their key."""
    with opened(engine) as database:
        return {each.key[0]: each.reason for each in rejections_of(database, name)}


@pytest.mark.parametrize("name", WAYS)
def test_every_other_row_is_filled_once(pooled: sa.Engine, name: str) -> None:
    """In whatever way rows are at fault: the run fills the rest, and fails with the number of those that wait."""
    fill(pooled, ROWS)
    with pytest.raises(RowsWait, match=rf"4 rows .* wait, and every other is filled.* backfill rejections {name}"):
        sieved(pooled, WAYS[name])
    assert visits(pooled) == EXPECTED
    assert sorted(rejected(pooled, name)) == list(BAD)
    assert latest(pooled, name).status is Status.FAILED


@pytest.mark.parametrize("name", WAYS)
def test_mended_rows_are_taken_again(pooled: sa.Engine, name: str) -> None:
    """Retry takes the rejected rows and no others; what fails once more waits once more; the last one completes it."""
    fill(pooled, ROWS)
    with pytest.raises(RowsWait):
        sieved(pooled, WAYS[name])
    mend(pooled, *BAD[:-1])
    with opened(pooled) as database:
        assert retry_rejections(database, WAYS[name]) == len(BAD)
    with pytest.raises(RowsWait, match="1 row that cannot"):
        sieved(pooled, WAYS[name])
    mend(pooled, BAD[-1])
    with opened(pooled) as database:
        assert retry_rejections(database, WAYS[name]) == 1
    assert sieved(pooled, WAYS[name]).status is Status.COMPLETED
    assert set(visits(pooled).values()) == {1}
    assert rejected(pooled, name) == {}


@pytest.mark.parametrize("name", WAYS)
def test_accepted_rows_stay_and_the_run_completes(pooled: sa.Engine, name: str) -> None:
    """What people accept is no reason to wait, for the run and for the gate."""
    fill(pooled, ROWS)
    with pytest.raises(RowsWait):
        sieved(pooled, WAYS[name])
    with opened(pooled) as database:
        with pytest.raises(BackfillIncomplete):
            require_complete(database, WAYS[name])
        assert accept_rejections(database, name) == len(BAD)
    assert sieved(pooled, WAYS[name]).status is Status.COMPLETED
    assert visits(pooled) == EXPECTED
    with opened(pooled) as database:
        require_complete(database, WAYS[name])


def test_accepted_rows_are_none_that_a_not_null_takes(pooled: sa.Engine) -> None:
    """They are told of; where none may be left, the gate refuses."""
    fill(pooled, ROWS)
    with pytest.raises(RowsWait):
        sieved(pooled, shrinking)
    with opened(pooled) as database:
        accept_rejections(database, "shrinking")
    sieved(pooled, shrinking)
    with opened(pooled) as database:
        assert "somebody has accepted that they stay" in str(require_complete(database, shrinking))
        with pytest.raises(BackfillIncomplete, match="a NOT NULL that follows would fail on them"):
            require_complete(database, shrinking, none_left=True)


def test_the_gate_says_how_a_row_is_left_out_first(pooled: sa.Engine) -> None:
    """Before it was, there is nothing to decide about."""
    fill(pooled, ROWS)
    with opened(pooled) as database, pytest.raises(BackfillIncomplete, match="--max-rejections 1"):
        require_complete(database, shrinking)
    with pytest.raises(RowsWait):
        sieved(pooled, shrinking)
    with opened(pooled) as database, pytest.raises(BackfillIncomplete, match="backfill rejections shrinking"):
        require_complete(database, shrinking)


def test_a_group_is_rejected_as_a_whole(pooled: sa.Engine) -> None:
    """Each of its rows waits, and none of the others."""
    fill(pooled, ROWS, lambda key: key == 17)
    with pytest.raises(RowsWait, match="10 rows that cannot"):
        sieved(pooled, by_ward)
    assert sorted(rejected(pooled, "by_ward")) == list(range(10, 20))
    assert {key for key, seen in visits(pooled).items() if seen != 1} == set(range(10, 20))
    mend(pooled, 17)
    with opened(pooled) as database:
        assert retry_rejections(database, by_ward) == 10
    sieved(pooled, by_ward)
    assert set(visits(pooled).values()) == {1}


def test_without_a_budget_the_first_row_stops_the_run(pooled: sa.Engine) -> None:
    """That is how it is by default, and nothing is entered."""
    fill(pooled, ROWS)
    with pytest.raises(
        RowRejected, match=r"^patients row 3: Patient.age: Input should be greater than or equal to 0(\n|$)"
    ):
        run_on(pooled, invalid)
    assert rejected(pooled, "invalid") == {}


@pytest.mark.parametrize(("most", "allowed"), [("3", 3), ("4%", 2)])
def test_more_than_the_budget_stop_the_run(pooled: sa.Engine, most: str, allowed: int) -> None:
    """By number or by share; rows of whole batches before stay entered, and with more the run goes on."""
    fill(pooled, ROWS)
    with pooled.begin() as connection:
        if pooled.dialect.name == "postgresql":
            connection.exec_driver_sql("ANALYZE patients")
    with pytest.raises(RowRejected, match=rf"rows were rejected, and at most {allowed} may be"):
        sieved(pooled, invalid, most)
    assert len(rejected(pooled, "invalid")) <= allowed
    with pytest.raises(RowsWait):
        sieved(pooled, invalid, "50%")
    assert visits(pooled) == EXPECTED


def test_rows_that_all_fail_are_no_rows_at_fault(pooled: sa.Engine) -> None:
    """Where none of a failed batch passes, the run stops at once, whatever the budget."""
    fill(pooled, 100, lambda key: key > 15)
    with pytest.raises(RowRejected, match=r"none of the last \d+ rows passed"):
        sieved(pooled, invalid, "100%")
    assert len(rejected(pooled, "invalid")) < 30


def test_a_decision_needs_a_run_that_has_stopped(pooled: sa.Engine) -> None:
    """And rejections that are there."""
    fill(pooled, ROWS)
    with opened(pooled) as database, pytest.raises(Refused, match="has no run"):
        accept_rejections(database, "invalid")
    with pytest.raises(RowsWait):
        sieved(pooled, invalid)
    with opened(pooled) as database:
        with pytest.raises(Refused, match="has no open rejection 999"):
            retry_rejections(database, invalid, [999])
        accept_rejections(database, "invalid")
    sieved(pooled, invalid)
    with opened(pooled) as database, pytest.raises(Refused, match="invalid is completed"):
        accept_rejections(database, "invalid")


def test_a_rejected_row_that_is_gone_is_no_reason_to_wait(pooled: sa.Engine) -> None:
    """It is looked for, and not found."""
    fill(pooled, ROWS)
    with pytest.raises(RowsWait):
        sieved(pooled, shrinking)
    with pooled.begin() as connection:
        connection.exec_driver_sql("DELETE FROM patients WHERE age < 0")
    with opened(pooled) as database:
        retry_rejections(database, shrinking)
    assert sieved(pooled, shrinking).status is Status.COMPLETED


@pytest.mark.parametrize("most", ["1%", "0.1%"])
def test_a_share_of_nobody_knows_how_many(pooled: sa.Engine, most: str) -> None:
    """Where the database has no estimate, it is of a thousand rows at least: one row of few is not too many."""
    fill(pooled, ROWS, lambda key: key == 1)
    with pytest.raises(RowsWait, match="1 row that cannot be filled waits"):
        sieved(pooled, invalid, most)
    assert list(rejected(pooled, "invalid")) == [1]


def test_a_share_is_of_all_rows_walked(postgresql_url: sa.URL) -> None:
    """In whatever slices they stand, and however few the database believed in at the beginning."""
    engine = open_engine(postgresql_url)
    fill(engine, 1)
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE patients")
        connection.exec_driver_sql("INSERT INTO patients SELECT n, 1, 30, 0 FROM generate_series(2, 50) n")
        connection.exec_driver_sql("UPDATE patients SET age = -1 WHERE id IN (20, 40)")
    for _ in range(2):
        with pytest.raises(RowsWait, match="2 rows that cannot be filled wait"):
            sieved(engine, invalid, "5%")
        assert latest(engine, "invalid").rows_estimated == 1
        with opened(engine) as database:
            assert retry_rejections(database, invalid) == 2


def test_bytes_that_are_no_text_are_the_rows_own_fault(sqlite_url: sa.URL) -> None:
    """SQLite keeps them in a column of text, and its driver cannot read them: the row is found and kept out."""
    engine = open_engine(sqlite_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL, size INTEGER)")
        for key in range(1, ROWS + 1):
            body = "CAST(x'616263ff' AS TEXT)" if key == 7 else "'abc'"
            connection.exec_driver_sql(f"INSERT INTO notes VALUES ({key}, {body}, NULL)")
    with pytest.raises(RowsWait, match="1 row that cannot be filled waits"):
        sieved(engine, measure)
    assert rejected(engine, "measure") == {7: "the database refuses what is written for it (OperationalError)"}
    with engine.connect() as connection:
        unfilled = connection.exec_driver_sql("SELECT id FROM notes WHERE size IS NULL").scalars().all()
    assert unfilled == [7]


def test_a_seed_has_no_rows_to_leave_out(pooled: sa.Engine) -> None:
    """It is refused as a whole, whatever the budget."""
    fill(pooled, ROWS)

    @backfill.seed()
    def first_patient() -> list[backfill.Insert]:
        """One who is there already."""
        return [backfill.Insert("patients", {"id": 1, "ward": 1, "age": 1, "visits": 1})]

    with pytest.raises(RowRejected):
        sieved(pooled, first_patient)
    assert rejected(pooled, "first_patient") == {}
