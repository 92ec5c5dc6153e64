"""One row at a time: a row that cannot be filled stops the run, with its key and a reason, and without its values."""

import json
import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Discriminator, Field, field_validator

import backfill
from backfill import Rejected
from backfill.database import Database
from backfill.errors import RowRejected
from backfill.ledger import Ledger
from backfill.run import Run
from tests.forms.town import Email, FirstName, FullName, people, values
from tests.kept import refill
from tests.refusal import fill

CANARY = "canary-4711"


class Strict(BaseModel):
    """An input model that some rows do not fit."""

    full_name: Annotated[str | None, Field(max_length=8)]


class Telling(BaseModel):
    """A validator whose message holds the value."""

    full_name: str | None

    @field_validator("full_name")
    @classmethod
    def refuse(cls, value: str | None) -> str | None:
        """Say too much."""
        if value and CANARY in value:
            raise ValueError(f"not {value}")
        return value


class Cat(BaseModel):
    """One of two documents."""

    kind: Literal["cat"]


class Dog(BaseModel):
    """The other."""

    kind: Literal["dog"]


class Tagged(BaseModel):
    """pydantic's own message holds the tag."""

    skills: Annotated[Cat | Dog, Discriminator("kind")] | None


class Counted(BaseModel):
    """The place of the mistake holds a key of the document."""

    skills: dict[str, int] | None


class Numeric(BaseModel):
    """Not a number."""

    full_name: int | None


class Documented(BaseModel):
    """JSON inside text."""

    email: Annotated[str, Field(pattern="^[a-z]+$")] | None


def give(person: BaseModel) -> FirstName | None:
    """Nothing to say."""
    return FirstName(first_name="x")


def reject(person: FullName) -> FirstName | None:
    """Refuse the row, and say why."""
    if person.full_name and CANARY in person.full_name:
        raise Rejected("there is no space in the name")
    return None


def fail(person: FullName) -> FirstName | None:
    """Run into a mistake whose message holds the value."""
    return FirstName(first_name=json.dumps({"x": {}[person.full_name]}) if person.full_name else "x")  # type: ignore[index]


def mistake(person: FullName) -> FirstName | None:
    """Return what is not declared."""
    return {"first_name": person.full_name}  # type: ignore[return-value]


def other(person: FullName) -> FirstName | None:
    """Return another model."""
    return Email(email=person.full_name)  # type: ignore[return-value]


def unfinished(person: FullName) -> FirstName | None:
    """Return a model that lacks its field."""
    return FirstName.model_construct()


def invalid(person: FullName) -> FirstName | None:
    """Fail in the output model."""
    return FirstName(first_name=[person.full_name])  # type: ignore[arg-type]


def deep(person: FullName) -> FirstName | None:
    """Never come back."""
    return deep(person)


def leave(person: FullName) -> FirstName | None:
    """Leave the process, as if all were well."""
    raise SystemExit(0)


REJECTED: dict[str, tuple[type[BaseModel], Callable[..., Any], str]] = {
    "too long for the model": (Strict, give, "Strict.full_name: String should have at most 8 characters"),
    "a validator's own words": (Telling, give, "Telling.full_name: value_error"),
    "a tag": (Tagged, give, "Tagged.skills: union_tag_invalid"),
    "a key": (Counted, give, "Counted.skills: Input should be a valid integer, unable to parse string as an integer"),
    "no number": (Numeric, give, "Numeric.full_name: Input should be a valid integer"),
    "a pattern": (Documented, give, "Documented.email: String should match pattern '^[a-z]+$'"),
    "rejected": (FullName, reject, "there is no space in the name"),
    "a mistake": (FullName, fail, "KeyError at tests/forms/test_rejections.py, line "),
    "a dictionary": (FullName, mistake, "the function returned dict; it is declared to return FirstName"),
    "another model": (FullName, other, "the function returned Email; it is declared to return FirstName"),
    "a field missing": (FullName, unfinished, "people row 3: the FirstName has no first_name"),
    "invalid output": (FullName, invalid, "FirstName.first_name: Input should be a valid string"),
    "leaving": (FullName, leave, "SystemExit at tests/forms/test_rejections.py, line "),
    "endless": (FullName, deep, "RecursionError at tests/forms/test_rejections.py, line "),
}


def latest(engine: sa.Engine, name: str) -> Run:
    """Read the run from the ledger."""
    with Database.of(engine) as database:
        run = Ledger(database).latest(name)
    assert run is not None
    return run


@pytest.mark.parametrize(("reads", "function", "told"), REJECTED.values(), ids=REJECTED.keys())
def test_a_row_that_cannot_be_filled(
    town: sa.Engine, reads: Any, function: Any, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The run fails with the row's key and the reason, without its values, and nothing of its batch is written."""

    def work(person: FullName) -> FirstName | None:
        if getattr(person, "full_name", None) == "Ada":
            return FirstName(first_name="Ada")
        result: FirstName | None = function(person)
        return result

    work.__annotations__["person"] = reads
    transform = backfill.transform("people")(work)
    refill(town, {people: [*ordinary(reads), {"id": 3, **poison(reads)}, {"id": 4}]})
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RowRejected, match="people row 3: ") as failure:
        fill(town, transform)
    assert told in str(failure.value)
    assert failure.value.exit_code == 1
    run = latest(town, "work")
    assert (run.status, run.reason, run.rows_read) == ("failed", str(failure.value), 2)
    assert values(town, "first_name")[2:] == [None, None]
    told_anywhere = [str(failure.value), str(run), str(failure.value.__cause__), caplog.text]
    assert not [text for text in told_anywhere if CANARY in text]


def ordinary(reads: type[BaseModel]) -> list[dict[str, object]]:
    """Give two rows that every model takes."""
    return [{"id": n, "full_name": None if reads is Numeric else "Ada"} for n in (1, 2)]


def poison(reads: type[BaseModel]) -> dict[str, object]:
    """Give the values of a row that the model, or the function, does not take."""
    if reads is Tagged:
        return {"skills": {"kind": CANARY}}
    return {"skills": {CANARY: CANARY}} if reads is Counted else {"full_name": CANARY, "email": CANARY}


def test_a_run_goes_on_once_the_row_is_mended(town: sa.Engine) -> None:
    """Rows before the failed batch are not walked again; it is looked at to its end, to tell of all rows at fault."""
    seen: list[str | None] = []

    @backfill.transform("people")
    def split(person: FullName) -> FirstName | None:
        """Refuse names of one word."""
        seen.append(person.full_name)
        if person.full_name is None:
            return None
        first, space, _ = person.full_name.partition(" ")
        if not space:
            raise Rejected("there is no space in the name")
        return FirstName(first_name=first)

    with pytest.raises(RowRejected, match="people row 3: there is no space in the name"):
        fill(town, split)
    assert values(town, "first_name") == ["Ada", "Grace", None, None]
    with town.begin() as connection:
        connection.execute(people.update().where(people.c.id == 3).values(full_name="Alan Turing"))
    run = fill(town, split)
    assert (run.status, run.reason, run.rows_written) == ("completed", None, 3)
    assert values(town, "first_name") == ["Ada", "Grace", "Alan", None]
    assert seen == ["Ada Lovelace", "Grace Hopper", "Alan", None, "Alan Turing", None]


def test_a_value_that_the_database_refuses(town: sa.Engine, caplog: pytest.LogCaptureFixture) -> None:
    """A length that no model declared: the run fails with the database's code, and no value is told."""

    @backfill.transform("people")
    def swell(person: FullName) -> FirstName:
        """Too long, except on SQLite, which has no lengths."""
        return FirstName(first_name=CANARY * 100)

    caplog.set_level(logging.INFO, "alembic.backfill")
    if town.dialect.name == "sqlite":
        fill(town, swell)
        return
    with pytest.raises(RowRejected) as failure:
        fill(town, swell)
    assert CANARY not in str(failure.value) + caplog.text
    assert "looking for the row at fault, 1 at a time" in caplog.text
    assert values(town, "first_name") == [None] * 4


def test_text_keys_are_not_told(town: sa.Engine) -> None:
    """A key may be personal: it is shown as a hash, by which the row can be found."""
    with town.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE mails (address VARCHAR(50) PRIMARY KEY, full_name VARCHAR(50))")
        connection.exec_driver_sql(f"INSERT INTO mails VALUES ('{CANARY}@x.org', '{CANARY}')")

    @backfill.transform("mails")
    def refuse(mail: FullName) -> FullName:
        """Every row."""
        raise Rejected("never")

    with pytest.raises(RowRejected, match=r"^mails row #[0-9a-f]{12}: never(\n|$)"):
        fill(town, refuse)
    with town.begin() as connection:
        connection.exec_driver_sql("DROP TABLE mails")
