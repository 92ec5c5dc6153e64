"""Faulty: transforms that look right, each with the one mistake that breaks one law and no other."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill import Rows, is_missing

users = sa.table("users", sa.column("id", sa.Integer), sa.column("name", sa.Text), sa.column("price", sa.Integer))


class User(BaseModel):
    """Read."""

    id: int
    name: str


class Label(BaseModel):
    """Written."""

    label: str


class Level(BaseModel):
    """Written."""

    level: Literal["beginner", "expert"]


class Price(BaseModel):
    """Written."""

    price: int


class Share(BaseModel):
    """Written."""

    share: int


class Name(BaseModel):
    """Written."""

    first_name: str
    last_name: str


class Total(BaseModel):
    """Written."""

    total: int


class Amount(BaseModel):
    """Read."""

    id: int
    amount: int


# ── sameness ────────────────────────────────────────────────────────────────────────────────────────────────────────

_numbers = [0]


@backfill.transform("users", where=is_missing("label"))
def number(user: User) -> Label:
    """A running number, which runs on from run to run."""
    _numbers[0] += 1
    return Label(label=f"u{_numbers[0]}")


# ── outputs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@backfill.transform("users", where=is_missing("level"))
def grade(user: User) -> Level:
    """A level that the model does not know: what is constructed is not checked."""
    return Level.model_construct(level="guru")


# ── pending ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@backfill.transform("users", where=sa.column("last_name") == "")
def split(user: User) -> Name:
    """Whoever has one name alone gets an empty last name, and waits for one again."""
    first, _, last = user.name.partition(" ")
    return Name(first_name=first, last_name=last)


# ── second run ──────────────────────────────────────────────────────────────────────────────────────────────────────


@backfill.transform("users")
def double(user: User, *, connection: sa.Connection) -> Price:
    """Twice the price, which it reads by itself, so that nobody knows that it reads what it writes."""
    price = connection.execute(sa.select(users.c.price).where(users.c.id == user.id)).scalar_one()
    return Price(price=2 * price)


# ── batches ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@backfill.transform("users")
def share_out(together: list[User]) -> list[Share]:
    """Everybody gets the same share, as if a batch were everybody."""
    return [Share(share=100 // len(together)) for _ in together]


# ── crashes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_so_far: list[int] = []


@backfill.transform("users", where=is_missing("total"))
def add_up(user: Amount) -> Total:
    """A running total, kept in Python, where no ROLLBACK comes to it."""
    if user.id == 1:
        _so_far.clear()
    _so_far.append(user.amount)
    return Total(total=sum(_so_far))


# ── edits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


_names: dict[int, str] = {}


@backfill.transform("users", where=is_missing("label"))
def remember(user: User, *, connection: sa.Connection) -> Label:
    """All names are read with the first row, and no more."""
    if user.id == 1 or not _names:
        _names.update((row.id, row.name) for row in connection.execute(sa.select(users.c.id, users.c.name)))
    return Label(label=_names[user.id].upper())


@backfill.step("users")
def upper_all(batch: Rows, *, connection: sa.Connection) -> None:
    """Each batch writes all rows there are."""
    labelled = sa.table("users", sa.column("name"), sa.column("label"))
    connection.execute(sa.update(labelled).values(label=sa.func.upper(labelled.c.name)))


# ── nulls ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@backfill.transform("users", where=is_missing("skills"))
def default_skills(people: Rows) -> dict[str, Any]:
    """To coalesce() JSON null is a value."""
    return {"skills": sa.func.coalesce(people.c.skills, sa.type_coerce([], sa.JSON))}


# ── crashes, where two connections may write at a time ──────────────────────────────────────────────────────────────

journal = sa.Table(
    "journal",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(50)),
    mysql_engine="InnoDB",
)


@backfill.step("users")
def tell_elsewhere(batch: list[User], *, connection: sa.Connection) -> None:
    """What it writes through another connection stays when the batch is taken back."""
    with connection.engine.begin() as other:
        other.execute(journal.insert(), [{"name": user.name} for user in batch])


# ── undo ────────────────────────────────────────────────────────────────────────────────────────────────────────────

TRIGGERED = (
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, label TEXT, edits INTEGER NOT NULL DEFAULT 0)",
    "CREATE TRIGGER count_edits AFTER UPDATE OF label ON users "
    "BEGIN UPDATE users SET edits = edits + 1 WHERE id = new.id; END",
)
"""A table that does more than it is told."""


@backfill.transform("users", where=is_missing("label"))
def call_by_name(user: User) -> Label:
    """There is nothing wrong with it but the table: a trigger writes a column that it does not know."""
    return Label(label=user.name)


def begin_anew() -> None:
    """Forget what is remembered here between calls."""
    _numbers[0] = 0
    _so_far.clear()
    _names.clear()
