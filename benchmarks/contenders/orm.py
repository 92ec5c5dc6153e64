"""SQLAlchemy's ORM: the loops that stand in most data migrations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, Engine, Select, String, Text, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.contender import Target, Work
from benchmarks.transforms.skills_of_bio import Bio, skills_of_bio

PAGE = 1_000


class Base(DeclarativeBase):
    """The ORM's registry."""


class User(Base):
    """A user, as an application has it."""

    __tablename__ = "bench_users"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    email: Mapped[str] = mapped_column(String(100))
    full_name: Mapped[str] = mapped_column(String(200))
    bio: Mapped[str] = mapped_column(Text)
    skills: Mapped[Any] = mapped_column(JSON)
    first_name: Mapped[str | None] = mapped_column(String(200))
    last_name: Mapped[str | None] = mapped_column(String(200))


def names(target: Target) -> Work:
    """Split names: pages by key, a commit a page."""
    engine = target.engine()
    return lambda: _by_key(engine, _split)


def names_by_offset(target: Target) -> Work:
    """Split names: pages by OFFSET, a commit a page."""
    engine = target.engine()
    return lambda: _by_offset(engine, _split)


def skills(target: Target) -> Work:
    """Skills by pydantic: pages by key, a commit a page."""
    engine = target.engine()
    return lambda: _by_key(engine, _describe)


def _split(user: User) -> None:
    user.first_name, _, user.last_name = user.full_name.partition(" ")


def _describe(user: User) -> None:
    user.skills = skills_of_bio(Bio(bio=user.bio)).model_dump()["skills"]


def _by_key(engine: Engine, change: Callable[[User], None]) -> None:
    last = 0
    with Session(engine) as session:
        while users := _changed(session, select(User).where(User.id > last), change):
            last = users[-1]
    engine.dispose()


def _by_offset(engine: Engine, change: Callable[[User], None]) -> None:
    offset = 0
    with Session(engine) as session:
        while users := _changed(session, select(User).offset(offset), change):
            offset += len(users)
    engine.dispose()


def _changed(session: Session, users: Select[Any], change: Callable[[User], None]) -> list[int]:
    """Change a page of users, and give their keys."""
    page = session.scalars(users.order_by(User.id).limit(PAGE)).all()
    for user in page:
        change(user)
    keys = [user.id for user in page]
    session.commit()
    session.expunge_all()
    return keys
