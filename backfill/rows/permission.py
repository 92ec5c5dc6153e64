"""Permission: which statements a function may send by the connection that it was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session

from backfill.errors import Rejected

_READS = re.compile(r"[\s(]*(SELECT|WITH|VALUES|TABLE|EXPLAIN|SHOW|PRAGMA\s+\w+\s*(\(|;|$))", re.IGNORECASE)
_WRITES = re.compile(r"\b(INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|MERGE\s+INTO)\b", re.IGNORECASE)
_DEFINES = re.compile(r"\s*(ALTER|TRUNCATE|RENAME|CREATE|DROP)\s+(?!((GLOBAL|LOCAL)\s+)?TEMP)", re.IGNORECASE)
_ASIDE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""What must not be taken for words of a statement: literals and comments."""

_ENDS = re.compile(r"\s*(COMMIT|ROLLBACK(?!.*\bTO\b)|BEGIN|START\s+TRANSACTION|END|ABORT)\b", re.IGNORECASE | re.DOTALL)
_NOT_ENDED = "ends the batch's transaction, in which its checkpoint stands, too. Return, or raise to take all back"


@contextmanager
def permitted(connection: Connection, *, to_write: bool) -> Iterator[None]:
    """Let a function look things up, and a step write rows; nobody ends the transaction or changes the schema."""

    def judge(_: Any, __: Any, statement: str, *___: Any) -> None:
        words = _ASIDE.sub(" ", statement)
        if not to_write:
            _require_reading(words)
        _require_rows(words)

    refusals: dict[str, Callable[..., None]] = {
        "before_cursor_execute": judge,
        "commit": _refuse("commit()"),
        "rollback": _refuse("rollback()"),
    }
    for name, refusal in refusals.items():
        event.listen(connection, name, refusal)
    try:
        yield
    finally:
        for name, refusal in refusals.items():
            event.remove(connection, name, refusal)


class StepSession(Session):
    """A session whose own commit() is a savepoint's end, inside the batch; what it wrote cannot be taken back alone."""

    def rollback(self) -> None:
        """Refuse it: what a step says it has written would not be there."""
        raise Rejected(f"rollback() {_NOT_ENDED}; for a part of it, use session.begin_nested()")


def _require_reading(words: str) -> None:
    if not _READS.match(words) or _WRITES.search(words):
        raise Rejected(
            "a transform returns its changes; connection only reads. "
            'Return Update("table", ..., id=...), or make it a step'
        )


def _require_rows(words: str) -> None:
    if ends := _ENDS.match(words):
        raise Rejected(f"{ends[1].upper()} {_NOT_ENDED}")
    if defines := _DEFINES.match(words):
        raise Rejected(
            f"{defines[1].upper()} is for a revision of its own; a step changes rows, in batches that can be taken "
            "back (a temporary table is fine)"
        )


def _refuse(call: str) -> Callable[[Connection], None]:
    def refuse(_: Connection) -> None:
        raise Rejected(f"{call} {_NOT_ENDED}")

    return refuse
