"""Permission: which statements a function may send by the connection that it was given."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session, SessionTransaction

from backfill.errors import Rejected

_READS = re.compile(r"[\s(]*(SELECT|WITH|VALUES|TABLE|EXPLAIN|SHOW|PRAGMA\s+\w+\s*(\(|;|$))", re.IGNORECASE)
_WRITES = re.compile(r"\b(INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|MERGE\s+INTO)\b", re.IGNORECASE)
_DEFINES = re.compile(r"\s*(ALTER|TRUNCATE|RENAME|CREATE|DROP)\s+(?!((GLOBAL|LOCAL)\s+)?TEMP)", re.IGNORECASE)
_ASIDE = re.compile(r"'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""What must not be taken for words of a statement: literals and comments."""

_ENDS = re.compile(r"\s*(COMMIT|ROLLBACK(?!.*\bTO\b)|BEGIN|START\s+TRANSACTION|END|ABORT)\b", re.IGNORECASE | re.DOTALL)
_NOT_ENDED = "ends the batch's transaction, in which its checkpoint stands, too. Return, or raise to take all back"
_BEGUN = "begin() is not needed: the function is inside its batch's transaction, which is committed when it returns"
_CALLS = {
    "begin": _BEGUN,
    "commit": f"commit() {_NOT_ENDED}",
    "rollback": f"rollback() {_NOT_ENDED}",
    "close": f"close() {_NOT_ENDED}",
}


@contextmanager
def permitted(connection: Connection, *, to_write: bool) -> Iterator[None]:
    """Let a function look things up, and a step write rows; nobody ends the transaction or changes the schema."""

    def judge(_: Any, __: Any, statement: str, *___: Any) -> None:
        for words in filter(str.strip, _ASIDE.sub(" ", statement).split(";")):
            if not to_write:
                _require_reading(words)
            _require_rows(words)

    event.listen(connection, "before_cursor_execute", judge)
    for name, reason in _CALLS.items():  # on the connection itself: SQLAlchemy's own events come when it is half ended
        setattr(connection, name, _refusing(reason))
    try:
        yield
    finally:
        for name in _CALLS:
            delattr(connection, name)
        event.remove(connection, "before_cursor_execute", judge)


class StepSession(Session):
    """A session whose own commit() is a savepoint's end, inside the batch; what it wrote cannot be taken back alone."""

    def begin(self, nested: bool = False) -> SessionTransaction:
        """Refuse it, unless it is a savepoint: the transaction is there."""
        if not nested:
            raise Rejected(_BEGUN)
        return super().begin(nested=True)

    def rollback(self) -> None:
        """Refuse it: what a step says it has written would not be there."""
        raise Rejected(f"rollback() {_NOT_ENDED}; for a part of it, use session.begin_nested()")

    def close(self) -> None:
        """Refuse it where that takes back what was written since the last commit()."""
        self._require_nothing_left("close()")
        super().close()

    def reset(self) -> None:
        """Refuse it, as `close`."""
        self._require_nothing_left("reset()")
        super().reset()

    def end(self) -> None:
        """Close it when the step is over."""
        super().close()

    def _require_nothing_left(self, call: str) -> None:
        if self.in_transaction():
            raise Rejected(
                f"{call}, also at the end of `with session:`, takes back what was not committed. Leave it out: the "
                "session is kept and closed when the step returns"
            )


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


def _refusing(reason: str) -> Callable[..., None]:
    def refuse(*_: Any, **__: Any) -> None:
        raise Rejected(reason)

    return refuse
