"""What fills the table: backfill, and what people write by hand."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Engine, Integer, Text, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import backfill
from backfill import Rows, is_missing
from backfill.database import Database
from backfill.running.runner import run
from backfill.settings import Settings

SKILLS = [{"name": "Unspecified", "level": "beginner"}]
BATCH = 10_000
SETTINGS = Settings(batch_size=BATCH, max_batch_size=BATCH)


class Skills(BaseModel):
    """Columns written."""

    skills: list[dict[str, str]]


class FullName(BaseModel):
    """Columns read."""

    full_name: str


class SplitName(BaseModel):
    """Columns written."""

    first_name: str
    last_name: str


@backfill.transform("bench_users", where=is_missing("skills"))
def default_skills(users: Rows) -> Skills:
    """Every user starts with one unspecified skill."""
    return Skills(skills=SKILLS)


@backfill.transform("bench_users", where=is_missing("first_name"))
def split_full_name(user: FullName) -> SplitName | None:
    """Everything after the first space is the last name."""
    first, _, last = user.full_name.partition(" ")
    return SplitName(first_name=first, last_name=last)


def set_based_backfill(engine: Engine) -> None:
    """Default skills, by backfill."""
    with Database.of(engine) as database:
        run(database, default_skills, SETTINGS)


def row_backfill(engine: Engine) -> None:
    """Split names, by backfill, one row at a time in Python."""
    with Database.of(engine) as database:
        run(database, split_full_name, SETTINGS)


def one_update(engine: Engine) -> None:
    """Default skills, in the one statement that everybody writes first."""
    with engine.begin() as connection:
        statement = text("UPDATE bench_users SET skills = CAST(:skills AS json) WHERE skills IS NULL")
        connection.execute(statement, {"skills": json.dumps(SKILLS)})


def set_based_loop(engine: Engine) -> None:
    """Default skills, by the driver: the same batches, each committed with a checkpoint of its own."""
    connection = engine.raw_connection()
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE IF NOT EXISTS bench_checkpoint (id bigint)")
    cursor.execute("INSERT INTO bench_checkpoint VALUES (0)")
    connection.commit()
    last, skills = 0, json.dumps(SKILLS)
    while (upto := _boundary(cursor, last)) is not None:
        cursor.execute(
            "UPDATE bench_users SET skills = %s::json WHERE id > %s AND id <= %s AND skills IS NULL",
            (skills, last, upto),
        )
        cursor.execute("UPDATE bench_checkpoint SET id = %s", (upto,))
        connection.commit()
        last = upto
    cursor.execute("DROP TABLE bench_checkpoint")
    connection.commit()
    connection.close()


def _boundary(cursor: Any, last: int) -> int | None:
    query = "SELECT max(id) FROM (SELECT id FROM bench_users WHERE id > %s ORDER BY id LIMIT %s) AS page"
    upto: int | None = cursor.execute(query, (last, BATCH)).fetchone()[0]
    return upto


class Base(DeclarativeBase):
    """The ORM's registry."""


class User(Base):
    """A user, as an ORM has it."""

    __tablename__ = "bench_users"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    full_name: Mapped[str] = mapped_column(Text)
    first_name: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str | None] = mapped_column(Text)


def orm_loop(engine: Engine) -> None:
    """Split names, by ORM objects: pages by key, a commit per thousand."""
    last = 0
    with Session(engine) as session:
        while users := session.scalars(select(User).where(User.id > last).order_by(User.id).limit(1000)).all():
            for user in users:
                user.first_name, _, user.last_name = user.full_name.partition(" ")
            last = users[-1].id
            session.commit()
            session.expunge_all()
