"""Rule: one mistake that can be seen by reading, with the code it is known by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic

from typing_extensions import TypeVar

from backfill.linting.finding import Place
from backfill.linting.history import History

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Flaw:
    """What a rule sees in one place: why it hurts, in a sentence, and what to write instead."""

    place: Place
    why: str
    remedy: str


@dataclass(frozen=True)
class Rule(Generic[Subject]):
    """A code, what the code stands for, and how to see it."""

    code: str
    title: str
    inspect: Callable[[Subject, History], Iterator[Flaw]]
