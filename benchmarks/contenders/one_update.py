"""The one UPDATE that everybody writes first: the yardstick, in one transaction that holds its locks to the end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, Update, func, select, update

from benchmarks.contender import Target, Work
from benchmarks.tables import users_of
from benchmarks.transforms.default_skills import SKILLS


def constant(target: Target) -> Work:
    """Default skills."""
    users = users_of(target.recipe.kind)
    return _at_once(target, update(users).where(users.c.skills.is_(None)).values(skills=SKILLS))


def names(target: Target) -> Work:
    """Split names, in SQL."""
    users = users_of(target.recipe.kind)
    return _at_once(target, split_names(users, target.database))


def missing_names(target: Target) -> Work:
    """An address for a missing name."""
    users = users_of(target.recipe.kind)
    return _at_once(target, update(users).where(users.c.first_name.is_(None)).values(first_name=users.c.email))


def full_scan(target: Target) -> Work:
    """No UPDATE at all: every row is looked at once."""
    users = users_of(target.recipe.kind)
    engine = target.engine()
    looked = select(func.count()).where(users.c.bio == "")

    def scan() -> None:
        with engine.connect() as connection:
            connection.execute(looked).scalar_one()

    return scan


def split_names(users: Table, database: str) -> Update:
    """First and last names by the place of the first space."""
    place: Any = func.strpos if database == "postgresql" else func.instr
    space = place(users.c.full_name, " ")
    first, last = func.substr(users.c.full_name, 1, space - 1), func.substr(users.c.full_name, space + 1)
    return update(users).where(users.c.first_name.is_(None)).values(first_name=first, last_name=last)


def _at_once(target: Target, statement: Update) -> Work:
    engine = target.engine()

    def work() -> None:
        with engine.begin() as connection:
            connection.execute(statement)

    return work
