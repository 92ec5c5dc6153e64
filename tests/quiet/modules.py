"""Modules: the transforms of the error paths, as their authors would have written them."""

from __future__ import annotations

from textwrap import dedent, indent

HEAD = '''
"""A transform that comes to grief."""

import enum
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Discriminator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection, Date, Integer, String, case, cast, column, func, literal, select, table, text
from sqlalchemy.orm import Session

import backfill
from backfill import Change, Delete, Insert, Rejected, Rows, Update, is_missing

POISON = 4


class Person(BaseModel):
    """Columns read."""

    id: int
    name: str
    email: str
    hostile: str
    score: int
    document: dict[str, str]
    photo: bytes


class Nickname(BaseModel):
    """The column written."""

    nickname: str | None


class Small(BaseModel):
    """A number that may be too large."""

    small: int | None


people = table("people", column("id"), column("name"), column("score"), column("nickname"))
'''


def rowwise(
    body: str, *, extra: str = "", reads: str = "Person", writes: str = "Nickname", options: str = "", given: str = ""
) -> str:
    """A transform that is given one row at a time; the row at fault is number 4."""
    return _module(
        extra,
        f'@backfill.transform("people"{options})',
        f"def fill(person: {reads}{given}) -> {writes} | None:",
        body,
    )


def in_batches(body: str, *, extra: str = "", options: str = "", given: str = "") -> str:
    """A transform that is given lists of rows."""
    return _module(
        extra,
        f'@backfill.transform("people"{options})',
        f"def fill(people: list[Person]{given}) -> list[Nickname | None]:",
        body,
    )


def in_sql(values: str, *, extra: str = "", options: str = "") -> str:
    """A transform whose rows stay in the database."""
    return _module(
        extra,
        f'@backfill.transform("people"{options})',
        "def fill(people: Rows) -> dict[str, Any]:",
        f"return {values}",
    )


def with_changes(body: str, *, extra: str = "", options: str = "") -> str:
    """A transform that answers with changes."""
    return _module(extra, f'@backfill.transform("people"{options})', "def fill(person: Person) -> list[Change]:", body)


def stepwise(body: str, *, given: str = "connection: Connection", returns: str = "None") -> str:
    """A step, done once."""
    return _module("", "@backfill.step()", f"def fill({given}) -> {returns}:", body)


def seeding(body: str, *, extra: str = "") -> str:
    """A seed."""
    return _module(extra, "@backfill.seed()", "def fill() -> list[Change]:", body)


def at_fault(statement: str, otherwise: str = 'return Nickname(nickname=f"u{person.id}")') -> str:
    """The body of a function that does something to row 4 alone."""
    return f"if person.id == POISON:\n{indent(dedent(statement).strip(), '    ')}\n{otherwise}"


def _module(extra: str, decorator: str, signature: str, body: str) -> str:
    function = f'{decorator}\n{signature}\n    """Come to grief."""\n{indent(dedent(body).strip(), "    ")}\n'
    return f"{HEAD.lstrip()}\n{dedent(extra).strip()}\n\n\n{function}"
