"""Moments: when in a run something happens; its process dies before a COMMIT, or the application comes between batches.

BEGIN and COMMIT are sent as statements, so that the engine's own events tell of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event

from backfill.schema import slice_

_CHECKPOINT = " ".join(("UPDATE", slice_.name, "SET checkpoint="))
"""How the guarded write begins that ends a batch."""


@dataclass(frozen=True)
class Commit:
    """A COMMIT, told by the statement before it."""

    statement: str

    @property
    def is_of_batch(self) -> bool:
        """Whether it ends a batch."""
        return self.statement.startswith(_CHECKPOINT)


class Died(BaseException):
    """The process is gone: nothing is sent any more."""


@contextmanager
def dying(engine: Engine, is_due: Callable[[Commit], bool]) -> Iterator[None]:
    """Let a session on the engine die before the first COMMIT that is due, as if its process were killed.

    The driver's connection is closed with the transaction open, so the database alone decides what becomes of it, and
    whatever anybody wants to send afterwards, a ROLLBACK or the end of a lease, is not sent.
    """
    last, is_dead = "", False

    def hear(connection: Connection, _: object, statement: str, *__: Any) -> None:
        nonlocal last, is_dead
        if not is_dead and statement == "COMMIT" and is_due(Commit(last)):
            is_dead = True
            connection.invalidate()
        if is_dead:
            raise Died
        last = statement

    with _listening(engine, "before_cursor_execute", hear):
        yield


@contextmanager
def between_batches(engine: Engine, act: Callable[[], None]) -> Iterator[None]:
    """Let somebody act after the first batch is committed, and before the next one begins."""
    last, has_acted = "", False

    def hear(_: Connection, __: object, statement: str, *___: Any) -> None:
        nonlocal last, has_acted
        if not has_acted and statement == "COMMIT" and Commit(last).is_of_batch:
            has_acted = True
            act()
        last = statement

    with _listening(engine, "after_cursor_execute", hear):
        yield


@contextmanager
def sent(engine: Engine) -> Iterator[list[str]]:
    """Note all statements that are sent."""
    statements: list[str] = []

    def hear(_: Connection, __: object, statement: str, *___: Any) -> None:
        statements.append(statement)

    with _listening(engine, "before_cursor_execute", hear):
        yield statements


@contextmanager
def _listening(engine: Engine, moment: str, hear: Callable[..., None]) -> Iterator[None]:
    event.listen(engine, moment, hear)
    try:
        yield
    finally:
        event.remove(engine, moment, hear)
