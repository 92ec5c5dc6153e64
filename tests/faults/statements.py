"""Statements: something happens when a connection is about to send its n-th one.

BEGIN, COMMIT and ROLLBACK are sent as statements too, so a position names every moment at which the database may
see a run end or a rival act. The moment after a statement is the moment before the next.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

BEGINNINGS = ("BEGIN", "START TRANSACTION")
"""What begins a transaction."""

QUERIES = ("SELECT", "WITH", "PRAGMA", "SHOW", "SET")
"""What leaves the database as it is: whoever dies before or after it, dies in the same moment."""


@contextmanager
def listening(target: sa.Engine | sa.Connection, hear: Callable[[str], None]) -> Iterator[None]:
    """Tell `hear` of every statement before it is sent."""

    def before(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
        hear(statement)

    sa.event.listen(target, "before_cursor_execute", before)
    try:
        yield
    finally:
        sa.event.remove(target, "before_cursor_execute", before)


@contextmanager
def recorded(target: sa.Engine | sa.Connection) -> Iterator[list[str]]:
    """Give the list of the statements sent meanwhile."""
    heard: list[str] = []
    with listening(target, heard.append):
        yield heard


@contextmanager
def interrupted(target: sa.Engine | sa.Connection, position: int, act: Callable[[], None]) -> Iterator[None]:
    """Act once, when the statement of this position (from 1) is about to be sent."""
    sent = 0

    def count(_statement: str) -> None:
        nonlocal sent
        sent += 1
        if sent == position:
            act()

    with listening(target, count):
        yield


def kill_own_process() -> None:
    """Die as by `kill -9`: no handler, no destructor, no goodbye to the server."""
    os.kill(os.getpid(), signal.SIGKILL)


def first_transaction(statements: list[str]) -> int:
    """Position of the first statement that begins a transaction; before it nothing is written."""
    return next(number for number, text in enumerate(statements, 1) if text.startswith(BEGINNINGS))


def batches(script: list[str]) -> list[range]:
    """For each batch, the positions from its BEGIN to behind its COMMIT."""
    commits = [number for number, text in enumerate(script, 1) if text == "COMMIT"]
    begins = [_begin_before(script, commit) for commit in commits]
    return [
        range(begin, commit + 2)
        for begin, commit in zip(begins, commits, strict=True)
        if any(map(_ends_batch, script[begin:commit]))
    ]


def changing(script: list[str], batch: range) -> list[int]:
    """Positions of a batch before each statement that is no query, and behind its COMMIT."""
    return [n for n in batch if n == batch[-1] or not script[n - 1].lstrip("( ").startswith(QUERIES)]


def _ends_batch(statement: str) -> bool:
    return statement.startswith("UPDATE backfill_slice") and "rows_read" in statement


def _begin_before(script: list[str], position: int) -> int:
    return next(number for number in range(position, 0, -1) if script[number - 1].startswith(BEGINNINGS))
