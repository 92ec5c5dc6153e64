"""Phrase: what people are told, as it may be shown, with the commands to type as they are typed where they stand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from backfill.escaping import safe_text

_ON_FILES = ("init", "new", "list", "check", "split")
_ON_DATABASES = ("plan", "run", "status", "pause", "cancel", "verify", "rejections", "undo", "forget", "revision")
_COMMANDS = re.compile(rf"(?<!flask )(?<![\w/.\-])\bbackfill ({'|'.join(_ON_FILES + _ON_DATABASES)})\b")

_UPGRADES = re.compile(r"(?<![\w/.\-])\balembic (upgrade|downgrade)\b")

_address: ContextVar[str] = ContextVar("_address", default="")


@dataclass(frozen=True)
class _Door:
    """How commands are typed where messages are read."""

    program: str
    migrator: str
    applies: Callable[[], bool]


_PLAIN = _Door("backfill", "alembic", lambda: True)
_doors: list[_Door] = []


def speak_as(program: str, migrator: str, applies: Callable[[], bool]) -> None:
    """Let messages say these for `backfill` and `alembic`, whenever `applies` says that a door is in use."""
    _doors.append(_Door(program, migrator, applies))


@contextmanager
def addressed(options: Sequence[str]) -> Iterator[None]:
    """Let the commands that are told within name the same database, by these options."""
    before = _address.set(f" {shlex.join(options)}" if options else "")
    try:
        yield
    finally:
        _address.reset(before)


def counted(number: int, thing: str) -> str:
    """So many of a thing that is named in the singular."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def phrased(text: str) -> str:
    """The text as it may be shown, with its commands as they are typed here. Whatever is told goes through this."""
    return spelled(safe_text(text))


def spelled(text: str) -> str:
    """The text as it is, with its commands as they are typed here."""
    door = next((door for door in _doors if door.applies()), _PLAIN)
    typed = _COMMANDS.sub(lambda found: f"{door.program} {found[1]}{_options_of(found[1])}", text)
    return _UPGRADES.sub(lambda found: f"{door.migrator} {found[1]}", typed)


def _options_of(verb: str) -> str:
    return safe_text(_address.get()) if verb in _ON_DATABASES else ""
