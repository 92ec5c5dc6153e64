"""One row at a time: values of every type come and go unchanged on each database."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Field

import backfill
from backfill import is_missing
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.rows.opening import open_targets
from tests.forms.town import MOST, TYPES, Email, FirstName, FullName, things, values
from tests.refusal import fill


class Thing(BaseModel):
    """The columns read."""

    __annotations__ = {name: hint | None for name, (_, hint, _) in TYPES.items()}


class Copy(BaseModel):
    """The columns written: the same values, beside them."""

    __annotations__ = {
        name: Annotated[hint | None, Field(alias=f"copy_{name}")] for name, (_, hint, _) in TYPES.items()
    }


class Phone(BaseModel):
    """Yet others."""

    phone: str
    first_name: str | None


@backfill.transform("things")
def copy_things(thing: Thing) -> Copy:
    """Write what was read."""
    return Copy(**{f"copy_{name}": getattr(thing, name) for name in TYPES})


@pytest.mark.parametrize("name", TYPES)
def test_values_come_and_go_unchanged(town: sa.Engine, name: str) -> None:
    """Read into the model, written from it, equal for the database's own eyes; None is NULL."""
    fill(town, copy_things, rows=4)
    written = values(town, name, f"copy_{name}", of=things)
    assert len(written) == MOST + 1
    assert all(type(one) is type(two) and one == two for one, two in written)
    assert written[-1] == (None, None)
    with town.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(things.c[f"copy_{name}"].is_(None))) == 1


def test_verifying_finds_nothing(town: sa.Engine) -> None:
    """What was written is what would be written: comparing knows every type as well."""
    fill(town, copy_things)
    with Database.of(town) as database:
        (target,) = open_targets(database, copy_things)
        last = target.last_key()
        assert last is not None
        found = target.next_match(None, last, 100)
        assert found is not None
        assert target.changing_keys(found) == []


def first_names(where: Any = None) -> Transform[..., Any]:
    """Declare the transform that most tests here run."""

    @backfill.transform("people", where=where)
    def split(person: FullName) -> FirstName | None:
        """Nobody without a name gets one."""
        return FirstName(first_name=person.full_name.split()[0]) if person.full_name else None

    return split


def test_none_leaves_the_row(town: sa.Engine) -> None:
    """Nothing of it is written, not even the value it has."""
    run = fill(town, first_names())
    assert values(town, "first_name") == ["Ada", "Grace", "Alan", None]
    assert (run.status, run.rows_read, run.rows_written) == ("completed", 4, 3)


def test_equal_values_are_written_and_none_leaves_the_row(town: sa.Engine) -> None:
    """To compare each row with what it holds would cost every run; a function that knows better returns None."""

    @backfill.transform("people")
    def same(person: Email) -> Email | None:
        """As it was."""
        return Email(email=person.email) if person.email else None

    before = values(town, "email")
    run = fill(town, same)
    assert values(town, "email") == before
    assert (run.rows_read, run.tally.updated, run.tally.skipped) == (4, 1, 3)


def test_a_condition_by_the_column_that_is_written(town: sa.Engine) -> None:
    """A written row leaves the condition; a row that is left alone does not keep the run open."""
    run = fill(town, first_names(is_missing("first_name")), rows=1)
    assert (run.status, run.rows_written) == ("completed", 3)


def test_several_output_models(town: sa.Engine) -> None:
    """`-> Email | Phone`: each row gets the columns of its own model, the others keep theirs."""

    class Contact(BaseModel):
        """Columns read."""

        email: str | None
        phone: str | None

    @backfill.transform("people")
    def tidy(person: Contact) -> Email | Phone | None:
        """Capitals for addresses, a name for numbers."""
        if person.email:
            return Email(email=person.email.upper())
        return Phone(phone=f"+{person.phone}", first_name=None) if person.phone else None

    fill(town, tidy, rows=4)
    assert values(town, "email", "phone") == [("ADA@X.ORG", None), (None, "+123"), (None, None), (None, None)]


def test_names_that_python_keeps(town: sa.Engine) -> None:
    """An alias is the column's name, for reading and for writing."""

    class Classed(BaseModel):
        """A column called class."""

        class_: str | None = Field(alias="class")

    @backfill.transform("people")
    def promote(person: Classed) -> Classed:
        """One class up."""
        return Classed(**{"class": f"{person.class_}+"})

    fill(town, promote)
    assert values(town, "class") == ["a+", "None+", "None+", "None+"]


def test_documents_are_models(town: sa.Engine) -> None:
    """JSON is validated into nested models, and written from them; None in a JSON column is NULL."""

    class Skill(BaseModel):
        """One element."""

        name: str
        since: date | None = None

    class Skills(BaseModel):
        """The column."""

        skills: list[Skill] | None

    @backfill.transform("people", where=sa.column("id").in_([2, 3]))
    def date_skills(person: Skills) -> Skills:
        """Since ever."""
        return Skills(
            skills=[Skill(name=s.name, since=date(2025, 1, 1)) for s in person.skills] if person.skills else None
        )

    fill(town, date_skills)
    assert values(town, "skills")[1:3] == [None, [{"name": "maths", "since": "2025-01-01"}]]


def test_moments_with_a_zone_are_stored_as_utc(town: sa.Engine) -> None:
    """A column without a zone holds UTC, on each database."""

    class Key(BaseModel):
        """Columns read."""

        id: int

    class Moment(BaseModel):
        """Columns written."""

        moment: datetime

    @backfill.transform("things")
    def stamp(thing: Key) -> Moment:
        """Noon in a zone of its own."""
        return Moment(moment=datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))))

    fill(town, stamp)
    noon = datetime(2025, 1, 1, 10, tzinfo=UTC).replace(tzinfo=None)
    assert set(values(town, "moment", of=things)) == {noon}


def test_bytes_and_arrays_on_postgresql(postgresql_url: sa.URL) -> None:
    """Columns that no other database has, and values for which JSON has no word."""

    class Odd(BaseModel):
        """The columns read and written."""

        tags: list[str | None]
        matrix: list[list[int]]
        price: float
        span: timedelta
        data: list[bytes] = []

    class Plain(BaseModel):
        """The columns read."""

        id: int

    tags = ["a,b", '"', None, "NULL", "{}"]

    @backfill.transform("odd")
    def fill_odd(row: Plain) -> Odd:
        """Values that are easily lost."""
        price = float("inf") if row.id == 1 else 0.5
        return Odd(tags=tags, matrix=[[1], [2]], price=price, span=timedelta(days=-1, seconds=1), data=[b"\x00"])

    engine = sa.create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE odd (id int PRIMARY KEY, "
            "tags text[], matrix int[][], price float8, span interval, data bytea[])"
        )
        connection.exec_driver_sql("INSERT INTO odd (id) VALUES (1), (2)")
    fill(engine, fill_odd, rows=1)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT tags, matrix, price, span, data FROM odd ORDER BY id").all()
    rest = (timedelta(days=-1, seconds=1), [b"\x00"])
    assert [tuple(row) for row in found] == [
        (tags, [[1], [2]], float("inf"), *rest),
        (tags, [[1], [2]], 0.5, *rest),
    ]
    engine.dispose()


@pytest.mark.parametrize("kind", ["float8", "float4"])
def test_floats_that_json_has_no_word_for(postgresql_url: sa.URL, kind: str) -> None:
    """Infinity and NaN arrive as what they are, beside numbers in the same batch."""

    class Measure(BaseModel):
        """Columns read and written."""

        id: int

    class Value(BaseModel):
        """Columns written."""

        value: float

    special = {1: float("inf"), 2: float("-inf"), 3: float("nan"), 4: 0.5}

    @backfill.transform("measures")
    def measure(row: Measure) -> Value:
        """One each."""
        return Value(value=special[row.id])

    engine = sa.create_engine(postgresql_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE measures (id integer PRIMARY KEY, value {kind})")
        connection.exec_driver_sql("INSERT INTO measures SELECT generate_series(1, 4)")
    fill(engine, measure, rows=4)
    with engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT value::text FROM measures ORDER BY id").scalars().all()
    assert found == ["Infinity", "-Infinity", "NaN", "0.5"]
    engine.dispose()
