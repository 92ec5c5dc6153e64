"""Jobs: what is to be filled, and how it is told afterwards that every row was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Engine, String, Table, cast, func, literal, or_, select

from benchmarks.transforms.mark_bio import MARK


class NotFilled(Exception):
    """A contender has left rows that are empty or wrong, so its time means nothing."""


@dataclass(frozen=True)
class Job:
    """What every contender of a section has to do."""

    name: str
    is_wrong: Callable[[Table], ColumnElement[bool]]
    """The rows that were left out, or filled with something else."""

    def check(self, engine: Engine, users: Table, rows: int) -> None:
        """Raise NotFilled unless all rows are there and right."""
        with engine.connect() as connection:
            found = connection.execute(select(func.count()).select_from(users)).scalar_one()
            wrong = connection.execute(select(func.count()).where(self.is_wrong(users))).scalar_one()
        if wrong or found != rows:
            raise NotFilled(f"{self.name}: {wrong:,} of {rows:,} rows are not as they should be, {found:,} are there")


def _wrong_constant(users: Table) -> ColumnElement[bool]:
    return or_(users.c.skills.is_(None), cast(users.c.skills, String(1000)).not_like('%"Unspecified"%'))


def _wrong_names(users: Table) -> ColumnElement[bool]:
    """Names have two words or more, and the first of them is `Ada` and a number."""
    first = literal("Ada") + cast(users.c.number, String(20))
    rejoined = users.c.first_name + " " + users.c.last_name
    return or_(users.c.first_name.is_distinct_from(first), rejoined.is_distinct_from(users.c.full_name))


def _wrong_skills(users: Table) -> ColumnElement[bool]:
    """Of the three skills, the first has the row's number in it, and the last is everybody's."""
    first = literal('%"Chess on board ') + cast(users.c.number, String(20)) + literal('"%"SQL by heart"%')
    return or_(users.c.skills.is_(None), cast(users.c.skills, String(1000)).not_like(first))


def _missing_names(users: Table) -> ColumnElement[bool]:
    return users.c.first_name.is_(None)


def _wrong_marks(users: Table) -> ColumnElement[bool]:
    """Each bio has one mark, whatever else was done to it."""
    marks = func.length(users.c.bio) - func.length(func.replace(users.c.bio, MARK, ""))
    return marks != len(MARK)


CONSTANT = Job("default skills", _wrong_constant)
NAMES = Job("first and last names", _wrong_names)
SKILLS = Job("skills from bios", _wrong_skills)
MARKS = Job("marked bios", _wrong_marks)
FIRST_NAMES = Job("missing first names", _missing_names)
