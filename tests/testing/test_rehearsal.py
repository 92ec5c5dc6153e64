"""`rehearse`: rows in, rows out, with the transform run for real in between."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Field

import backfill
from backfill import Change, Delete, Insert, Rejected, Rows, is_missing
from backfill.declaration.literal import from_document
from backfill.errors import ChecksFailed, Refused, RowRejected
from backfill.testing import LawBroken, rehearse
from backfill.testing.rehearsal import staged
from transforms.split_full_name import FullName, SplitName, split_full_name

# ── the tests that a user wants to write ────────────────────────────────────────────────────────────────────────────


def test_splits_at_the_first_space() -> None:
    """A transform is a function."""
    assert split_full_name(FullName(full_name="Ada King")) == SplitName(first_name="Ada", last_name="King")


class Authority(BaseModel):
    """Read."""

    authority: str


class Named(BaseModel):
    """Inserted."""

    name: str


class Member(BaseModel):
    """Written."""

    organization_id: Insert[Named]


@backfill.transform("group", where=is_missing("organization_id"))
def join_organizations(group: Authority) -> Member:
    """An organization for each authority."""
    return Member(organization_id=Insert("organization", Named(name=group.authority), match="name"))


def test_every_group_gets_its_organization() -> None:
    """Changes are data: compared by value."""
    assert join_organizations(Authority(authority="x")) == Member(
        organization_id=Insert("organization", Named(name="x"), match="name")
    )


def test_survives_everything() -> None:
    """Batches of 1 and n, a kill before every COMMIT: one end."""
    assert rehearse(split_full_name, [{"full_name": "Ada Lovelace"}]) == [
        {"id": 1, "full_name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace"}
    ]


class Parent(BaseModel):
    """Read."""

    id: int
    is_old: bool


@backfill.transform("parent")
def prune(parent: Parent) -> list[Change]:
    """Old parents go, with their children."""
    return [Delete("child", parent_id=parent.id), Delete()] if parent.is_old else []


@pytest.fixture
def migrated(engine: sa.Engine) -> sa.Engine:
    """Give the tables of the caller's schema."""
    metadata = sa.MetaData()
    key: list[Any] = [sa.Column("id", sa.Integer, primary_key=True)]
    parent = sa.Table("parent", metadata, *key, sa.Column("is_old", sa.Boolean, nullable=False), mysql_engine="InnoDB")
    owner: sa.Column[int] = sa.Column("parent_id", sa.ForeignKey(parent.c.id), nullable=False)
    sa.Table("child", metadata, sa.Column("id", sa.Integer, primary_key=True), owner, mysql_engine="InnoDB")
    metadata.create_all(engine)
    return engine


def test_with_other_tables(migrated: sa.Engine) -> None:
    """Several tables: the caller's schema."""
    rows = {
        "parent": [{"id": 1, "is_old": True}, {"id": 2, "is_old": True}],
        "child": [{"parent_id": 1}, {"parent_id": 1}, {"parent_id": 2}],
    }
    assert rehearse(prune, rows, engine=migrated) == {"parent": [], "child": []}
    with migrated.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM backfill_run")) == 0


# ── tables that are made from models and rows ───────────────────────────────────────────────────────────────────────


class Everything(BaseModel):
    """Read."""

    truth: bool
    number: int
    fraction: float
    price: Decimal
    text: str
    raw: bytes
    moment: datetime
    day: date
    ident: UUID
    tags: list[str]
    maybe: int | None
    named: str = Field(alias="class")


class Same(BaseModel):
    """Written."""

    truth_: bool
    number_: int
    price_: Decimal
    text_: str
    raw_: bytes
    moment_: datetime
    day_: date
    ident_: UUID
    tags_: list[str]
    maybe_: int | None
    named_: str


@backfill.transform("things")
def copy(thing: Everything) -> Same:
    """Each value into another column."""
    return Same(**{f"{name}_": value for name, value in thing if name != "fraction"})


def test_columns_are_of_the_types_of_their_fields() -> None:
    """What Python gives comes back from them."""
    row: dict[str, Any] = {
        "truth": True,
        "number": 7,
        "fraction": 0.5,
        "price": Decimal("1.5"),
        "text": "é",
        "raw": b"\0",
    }
    row |= {"moment": datetime(2020, 2, 29, 12, tzinfo=UTC).replace(tzinfo=None), "day": date(2020, 2, 29)}
    row |= {"ident": uuid4(), "tags": ["a"], "maybe": None, "class": "x"}
    (end,) = rehearse(copy, [row])
    ident = row["ident"].hex
    assert end == {"id": 1, **row, "ident": ident} | {
        f"{'named' if name == 'class' else name}_": value
        for name, value in {**row, "ident": ident}.items()
        if name != "fraction"
    }


@backfill.transform("users", where=(sa.column("state") == "open") & is_missing("email_lower"))
def lower_email(users: Rows) -> dict[str, Any]:
    """In SQL: what is written has the type of the expression."""
    return {"email_lower": sa.func.lower(users.c.email), "length": sa.func.length(users.c.email)}


def test_columns_of_expressions_are_known_from_the_rows() -> None:
    """And those that where= asks for from what they are compared with."""
    rows = [{"email": "A@B", "state": "open"}, {"email": "C@D", "state": "closed"}]
    done, left = rehearse(lower_email, rows)
    assert (done["email_lower"], done["length"]) == ("a@b", 3)
    assert (left["email_lower"], left["length"]) == (None, None)
    with pytest.raises(Refused, match="asks users for email, of which neither a model nor a row of the test speaks"):
        rehearse(lower_email, [{"state": "open"}])


def test_a_definition_without_python() -> None:
    """JSON too."""
    skills = [{"name": "Unspecified", "level": "beginner"}]
    document = json.dumps({"table": "users", "where": {"skills": None}, "set": {"skills": skills}})
    assert rehearse(from_document("default_skills", document), [{}, {"skills": []}]) == [
        {"id": 1, "skills": skills},
        {"id": 2, "skills": []},
    ]


@backfill.seed()
def plans() -> list[Insert[Any]]:
    """Rows without a source."""
    return [Insert("plans", {"name": name}, match="name") for name in ("free", "team")]


def test_a_seed() -> None:
    """It has no rows to begin with, so its table is named."""
    assert rehearse(plans, {"plans": []}) == {"plans": [{"id": 1, "name": "free"}, {"id": 2, "name": "team"}]}
    assert rehearse(plans, {"plans": [{"name": "team"}]})["plans"][1]["name"] == "free"
    with pytest.raises(Refused, match=r'plans walks 0 tables, so its rows are given by table: \{"table": \[...\]\}'):
        rehearse(plans, [])


@backfill.transform("users", "admins", where=is_missing("label"))
def label_both(person: FullName) -> Same | None:
    """Several tables."""
    raise Rejected("it is never called")


def test_rows_of_several_tables_are_given_by_table() -> None:
    """It says how."""
    with pytest.raises(Refused, match=r'walks 2 tables, so its rows are given by table: \{"users": \[...\]\}'):
        rehearse(label_both, [{"full_name": "x"}])


# ── values that are new each time ───────────────────────────────────────────────────────────────────────────────────


class Token(BaseModel):
    """Written."""

    token: str


@backfill.transform("users", where=is_missing("token"))
def draw_token(user: FullName) -> Token:
    """A secret."""
    return Token(token=secrets.token_hex(8))


def test_fresh_values_are_named() -> None:
    """Then it counts that they are there; otherwise they look like a mistake."""
    with pytest.raises(LawBroken, match=r"\(sameness\)"):
        rehearse(draw_token, [{"full_name": "x"}])
    first, second = rehearse(draw_token, [{"full_name": "x"}, {"full_name": "y"}], fresh=["token"])
    assert len({first["token"], second["token"]}) == 2


@backfill.transform("users")
def draw_again(user: FullName) -> Token:
    """A secret, whether there is one or not."""
    return Token(token=secrets.token_hex(8))


def test_fresh_values_may_replace_each_other_where_nothing_forbids_it() -> None:
    """A second run is not natural there; the other laws hold."""
    assert len(rehearse(draw_again, [{"full_name": "x", "token": "old"}], fresh=["token"])[0]["token"]) == 16


@backfill.transform("users", where=is_missing("token"))
def stamp(user: FullName) -> Token:
    """The time of day, to the second."""
    return Token(token=f"{datetime.now(UTC):%H:%M:%S}")


def test_a_clock_is_noticed_within_its_second() -> None:
    """A rehearsal waits for the next one where the code asks what time it is."""
    with pytest.raises(LawBroken, match=r"\(sameness\)"):
        rehearse(stamp, [{"full_name": "x"}])


@backfill.seed()
def draw_keys() -> list[Insert[Any]]:
    """Rows whose keys are drawn."""
    return [Insert("plans", {"id": uuid4().hex, "name": name}, match="name") for name in ("free", "team")]


def test_fresh_keys_are_compared_by_what_they_stand_for() -> None:
    """Like those that the database gives."""
    with pytest.raises(LawBroken, match=r"\(sameness\)"):
        rehearse(draw_keys, {"plans": []})
    assert {plan["name"] for plan in rehearse(draw_keys, {"plans": []}, fresh=["id"])["plans"]} == {"free", "team"}


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_of_others_are_safe(migrated: sa.Engine) -> None:
    """A table that has rows is left alone, since a rehearsal empties it again and again."""
    with migrated.begin() as connection:
        connection.exec_driver_sql("INSERT INTO parent (id, is_old) VALUES (7, true)")
    with pytest.raises(Refused, match="parent has rows already, and a rehearsal empties its tables again and again"):
        rehearse(prune, {"parent": [], "child": []}, engine=migrated)
    with migrated.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM parent")) == 1


def test_a_table_that_is_written_is_named(migrated: sa.Engine) -> None:
    """Otherwise its rows would be neither emptied nor compared."""
    with pytest.raises(Refused, match=r'prune writes child, which is not among .* \{..., "child": \[\]\}'):
        rehearse(prune, [{"is_old": True}], engine=migrated)


def test_what_cannot_run_says_why() -> None:
    """In the words of a run; and that the tables were made from what was given."""
    with pytest.raises(ChecksFailed, match="there is no table organization") as caught:
        rehearse(join_organizations, [{"authority": "x"}])
    assert "or a database that has the tables" in caught.value.__notes__[0]


def test_a_misspelt_column_is_told(migrated: sa.Engine) -> None:
    """With the nearest name."""
    with pytest.raises(Refused, match=r"a row of parent is given is_odl; .* Did you mean is_old\?"):
        rehearse(prune, {"parent": [{"is_odl": True}], "child": []}, engine=migrated)


@backfill.transform("users", where=is_missing("first_name"))
def refuse(user: FullName) -> SplitName:
    """Some cannot be filled."""
    raise Rejected("it has no name")


def test_a_row_that_is_rejected_is_told() -> None:
    """It is no breach of a law."""
    with pytest.raises(RowRejected, match="users row 1: it has no name"):
        rehearse(refuse, [{"full_name": ""}])


# ── how long it takes ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_takes_milliseconds() -> None:
    """One run of a transform on SQLite; all laws take about twenty of them."""
    with staged(split_full_name, {"users": [{"full_name": "Ada King"}, {"full_name": "Cher"}]}) as stage:
        stage.undisturbed  # noqa: B018  # the statements are compiled once
        seconds = list(timed_runs(stage))
    assert sorted(seconds)[1] < 0.2


def timed_runs(stage: Any) -> Iterator[float]:
    """How long some runs take."""
    for _ in range(5):
        started = time.perf_counter()
        stage.reset()
        stage.perform()
        yield time.perf_counter() - started
