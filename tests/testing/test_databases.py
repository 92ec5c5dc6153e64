"""The laws are proved on a schema of the caller's, on every database."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill import Insert, Rows, is_missing
from backfill.declaration.decorator import Transform
from backfill.testing import LawBroken, rehearse
from backfill.testing.end import Row
from tests.conftest import SERVERS
from tests.testing import faulty
from transforms.default_skills import default_skills
from transforms.split_full_name import split_full_name

metadata = sa.MetaData()
cities = sa.Table(
    "cities",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50), nullable=False, unique=True),
    mysql_engine="InnoDB",
)
users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("full_name", sa.String(50), nullable=False, server_default="Ada King"),
    sa.Column("name", sa.String(50), nullable=False, server_default="Ada"),
    *(sa.Column(name, sa.String(50)) for name in ("first_name", "last_name", "label", "level", "token")),
    *(sa.Column(name, sa.Integer) for name in ("share", "total")),
    sa.Column("amount", sa.Integer, nullable=False, server_default="5"),
    sa.Column("price", sa.Integer, server_default="5"),
    sa.Column("skills", sa.JSON(none_as_null=True)),
    sa.Column("city_id", sa.ForeignKey(cities.c.id)),
    mysql_engine="InnoDB",
)
USERS: list[Row] = [{"name": "Ada King"}, {"name": "Cher"}, {"name": "Bob Ross"}, {"name": "Cher"}]


@pytest.fixture
def migrated(engine: sa.Engine) -> sa.Engine:
    """Give a schema as migrations leave it: without a row."""
    metadata.create_all(engine)
    faulty.journal.create(engine)
    faulty.begin_anew()
    return engine


class User(BaseModel):
    """Read."""

    name: str


class City(BaseModel):
    """Inserted."""

    name: str


class Placed(BaseModel):
    """Written."""

    city_id: Insert[City]


@backfill.transform("users", where=is_missing("city_id"))
def place(user: User) -> Placed:
    """One city a name; the database gives it its key."""
    return Placed(city_id=Insert("cities", City(name=user.name), match="name"))


@backfill.transform("users")
def raise_price(users: Rows) -> dict[str, Any]:
    """Not twice."""
    return {"price": users.c.price * 2}


def test_keys_that_the_database_gives_are_compared_by_what_they_stand_for(migrated: sa.Engine) -> None:
    """A batch that was taken back has used numbers up, and that is no difference."""
    end = rehearse(place, {"cities": [], "users": USERS}, engine=migrated)
    names = {row["id"]: row["name"] for row in end["cities"]}
    assert [names[row["city_id"]] for row in end["users"]] == [user["name"] for user in USERS]
    assert len(names) == 3


def test_sound_transforms_keep_all_laws(migrated: sa.Engine) -> None:
    """By row and in SQL, repeatable by nature or not; tables are empty before and afterwards."""
    names = [{"full_name": "Ada King"}, {"full_name": "Cher"}]
    assert [row["last_name"] for row in rehearse(split_full_name, names, engine=migrated)] == ["King", ""]
    skills = [row["skills"] for row in rehearse(default_skills, [{}, {"skills": []}], engine=migrated)]
    assert skills == [[{"name": "Unspecified", "level": "beginner"}], []]
    assert [row["price"] for row in rehearse(raise_price, USERS, engine=migrated)] == [10] * 4
    with migrated.connect() as connection:
        assert connection.execute(sa.select(users)).first() is None


FAULTY: list[tuple[Transform[..., Any], str]] = [
    (faulty.number, "sameness"),
    (faulty.grade, "outputs"),
    (faulty.split, "pending"),
    (faulty.double, "second run"),
    (faulty.share_out, "batches"),
    (faulty.add_up, "crashes"),
    (faulty.remember, "edits"),
    (faulty.upper_all, "edits"),
    (faulty.default_skills, "nulls"),
]


@pytest.mark.parametrize(("transform", "law"), FAULTY, ids=[transform.name for transform, _ in FAULTY])
def test_each_law_is_broken_by_a_faulty_one(migrated: sa.Engine, transform: Transform[..., Any], law: str) -> None:
    """Here as on a throw-away file."""
    rows = [{"id": number, **user, "last_name": ""} for number, user in enumerate(USERS, 1)]
    with pytest.raises(LawBroken) as caught:
        rehearse(transform, rows, engine=migrated)
    assert caught.value.law.name == law


@pytest.mark.parametrize("name", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in SERVERS])
def test_what_is_written_through_another_connection_stays_after_a_crash(
    name: str, request: pytest.FixtureRequest
) -> None:
    """The transaction really ends with the process: what was outside of it is there once too often."""
    engine = sa.create_engine(request.getfixturevalue(f"{name}_url"))
    metadata.create_all(engine)
    faulty.journal.create(engine)
    rows = {"users": [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}], "journal": []}
    with pytest.raises(LawBroken) as caught:
        rehearse(faulty.tell_elsewhere, rows, engine=engine)
    assert str(caught.value).splitlines()[1] == (
        "Seen: in journal, the row new journal row 2 has name = 'Ada' after 7 crashes, one before each COMMIT, "
        "and 'Bob' without a crash."
    )
    engine.dispose()
