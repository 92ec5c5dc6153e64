"""Clinic: patients of whom some cannot be filled, in every way in which a row can be at fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, Field

import backfill
from backfill import Rejected, Rows, is_missing
from backfill.declaration.decorator import Transform

metadata = sa.MetaData()
patients = sa.Table(
    "patients",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("ward", sa.Integer, nullable=False),
    sa.Column("age", sa.Integer, nullable=False),
    sa.Column("visits", sa.Integer, nullable=False),
    sa.Column("label", sa.String(20)),
    sa.CheckConstraint("visits <> 1001", name="never_1001"),
    mysql_engine="InnoDB",
)

BAD = (3, 17, 18, 39)
"""Whose age is negative, and of whose visits there would be 1,001."""


class Patient(BaseModel):
    """Read."""

    id: int
    age: int = Field(ge=0)
    visits: int


class Unchecked(BaseModel):
    """Read, whatever it holds."""

    id: int
    age: int
    visits: int


class Counted(BaseModel):
    """Written."""

    visits: int


class Labelled(BaseModel):
    """Written."""

    visits: int
    label: str


@backfill.transform("patients")
def invalid(patient: Patient) -> Counted:
    """Refused by the input model."""
    return Counted(visits=patient.visits + 1)


@backfill.transform("patients")
def raising(patient: Unchecked) -> Counted:
    """Refused by the function."""
    if patient.age < 0:
        raise Rejected("no age")
    return Counted(visits=patient.visits + 1)


@backfill.transform("patients")
def unstorable(patient: Unchecked) -> Counted:
    """Refused by the database."""
    return Counted(visits=patient.visits + 1)


@backfill.transform("patients")
def unstorable_in_sql(patients: Rows) -> dict[str, Any]:
    """Refused by the database, which computes it."""
    return {"visits": patients.c.visits + 1}


@backfill.transform("patients")
def batchwise(patients: list[Unchecked]) -> list[Counted]:
    """Refused by a function that does not know of which row."""
    if any(patient.age < 0 for patient in patients):
        raise ValueError("one of them")
    return [Counted(visits=patient.visits + 1) for patient in patients]


@backfill.transform("patients", order_by=sa.column("ward").desc())
def in_another_order(patient: Patient) -> Counted:
    """Refused by the input model, in the order of another column."""
    return Counted(visits=patient.visits + 1)


@backfill.transform("patients", where=is_missing("label"))
def shrinking(patient: Patient) -> Labelled:
    """Refused by the input model; those that are filled are not taken again."""
    return Labelled(visits=patient.visits + 1, label="seen")


@backfill.transform("patients", where=is_missing("label"))
def shrinking_in_sql(patients: Rows) -> dict[str, Any]:
    """Refused by the database; those that are filled are not taken again."""
    return {"visits": patients.c.visits + 1, "label": "seen"}


WAYS: dict[str, Transform[..., Any]] = {
    each.name: each
    for each in (
        invalid,
        raising,
        unstorable,
        unstorable_in_sql,
        batchwise,
        in_another_order,
        shrinking,
        shrinking_in_sql,
    )
}


@backfill.transform("patients", group_by="ward", order_by=sa.column("id"))
def by_ward(ward: list[Patient]) -> list[Counted]:
    """Refused by the input model: the ward is refused as a whole."""
    return [Counted(visits=patient.visits + 1) for patient in ward]


def is_bad(key: int) -> bool:
    """Whether the patient cannot be filled."""
    return key in BAD


def fill(engine: sa.Engine, rows: int = 50, bad: Callable[[int], bool] = is_bad) -> None:
    """Fill the table with patients 1, 2, 3 …, of whom some are bad."""
    metadata.create_all(engine)
    patient = {True: {"age": -1, "visits": 1000}, False: {"age": 30, "visits": 0}}
    with engine.begin() as connection:
        connection.execute(
            patients.insert(), [{"id": key, "ward": key // 10, **patient[bad(key)]} for key in range(1, rows + 1)]
        )


def mend(engine: sa.Engine, *keys: int) -> None:
    """Bring bad patients in order."""
    with engine.begin() as connection:
        connection.execute(patients.update().where(patients.c.id.in_(keys)).values(age=30, visits=0))


def visits(engine: sa.Engine) -> dict[int, int]:
    """How often each was counted; a bad one's number as it was stays 1,000."""
    with engine.connect() as connection:
        return {row.id: row.visits for row in connection.execute(sa.select(patients.c.id, patients.c.visits))}
