"""The gate where a transform must not be run twice, and rows match its condition all the same."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill import Insert, Rows, is_missing
from backfill.errors import BackfillIncomplete
from backfill.gate import require_complete
from tests.faults.workloads import counts, insert_late, open_engine, opened, run_on, seed, settings

ROWS = 12
NEVER_TWICE = r"rows of people match where, though name_by_key is completed: .* since it reads n, which it writes"


@backfill.transform("people", where=is_missing("label"))
def name_by_key(people: Rows) -> dict[str, Any]:
    """A label that may be NULL for all that anybody knows, and a count that must not be done twice."""
    return {"n": people.c.n + 1, "label": sa.func.lower(sa.cast(people.c.id, sa.String(20)))}


def test_rows_that_match_after_the_end_are_asked_about(database_url: sa.URL) -> None:
    """The ledger says completed, the rows say no: the schema waits, and the way on is named and works."""
    engine = open_engine(database_url)
    seed(engine, ROWS)
    run_on(engine, name_by_key, settings())
    with opened(engine) as database:
        assert require_complete(database, name_by_key) is None
    insert_late(engine)
    with opened(engine) as database:
        with pytest.raises(BackfillIncomplete, match=NEVER_TWICE) as refused:
            require_complete(database, name_by_key)
        assert "backfill run name_by_key --from-start --accept twice" in str(refused.value)
    run_on(engine, name_by_key, settings(), accept=("synchronous", "twice"), from_start=True)
    assert set(counts(engine).values()) == {1}
    with opened(engine) as database:
        assert require_complete(database, name_by_key) is None


@backfill.transform("people", where=is_missing("label"))
def name_some(people: Rows) -> dict[str, Any]:
    """A label for all but the first, which it leaves empty."""
    return {"label": sa.func.nullif(sa.cast(people.c.id, sa.String(20)), "1")}


def test_rows_that_stay_pass_unless_none_may(database_url: sa.URL) -> None:
    """They are told of; before a NOT NULL they stop the upgrade, which would fail on them half-way."""
    engine = open_engine(database_url)
    seed(engine, ROWS)
    run_on(engine, name_some, settings())
    with opened(engine) as database:
        assert "rows of people still match where" in str(require_complete(database, name_some))
        with pytest.raises(BackfillIncomplete, match=r"Let name_some fill them: backfill run name_some"):
            require_complete(database, name_some, none_left=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE people SET label = 'one' WHERE label IS NULL")
    with opened(engine) as database:
        assert require_complete(database, name_some, none_left=True) is None


class Tag(BaseModel):
    """Inserted."""

    text: str


class Guest(BaseModel):
    """Read."""

    id: int


class Tagged(BaseModel):
    """Written, with the key of what is inserted."""

    tag_id: Insert[Tag]


@backfill.transform("guests", where=is_missing("tag_id"))
def tag_each(guest: Guest) -> Tagged:
    """A tag of its own for everybody."""
    return Tagged(tag_id=Insert("tags", Tag(text=f"of {guest.id}")))


def test_rows_that_wait_for_the_key_of_another(database_url: sa.URL) -> None:
    """To tell whether there are any, the rows that would be inserted are, and are taken back."""
    engine = open_engine(database_url)
    tags = sa.Table("tags", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text))
    tags.create(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE guests (id INTEGER PRIMARY KEY, tag_id INTEGER)")
        connection.exec_driver_sql("INSERT INTO guests VALUES (1, 7), (2, NULL), (3, NULL)")
    with opened(engine) as database:
        with pytest.raises(BackfillIncomplete, match="rows of guests still wait for tag_each"):
            require_complete(database, tag_each)
        assert database.connection.scalar(sa.select(sa.func.count()).select_from(tags)) == 0
    run_on(engine, tag_each, settings())
    with opened(engine) as database:
        assert require_complete(database, tag_each) is None
