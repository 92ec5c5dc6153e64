"""Failures: what failed on a connection while a function had it, also if the function caught the error.

After a failed statement the databases differ: PostgreSQL takes no other one, MariaDB has taken back the statement or,
after a deadlock, all of the transaction without a word, and SQLite either. Only who returns to a savepoint knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from backfill.database import Database
from backfill.fault import Faulted

_SAVEPOINT = re.compile(r"\s*(SAVEPOINT\s|RELEASE\s|ROLLBACK\s.*?\bTO\s)", re.IGNORECASE)
_CAUGHT = "caught by the function, without a savepoint to go back to"


class Failures:
    """Those of one call."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._savepoints: set[str] = set()
        self._is_undone = True
        self._cause: Faulted | None = None
        self._error_id = 0

    def forget_savepoints(self) -> None:
        """Those that were set until now are not the function's own."""
        self._savepoints.clear()

    def note_error(self, error: DBAPIError) -> None:
        """A statement failed."""
        if not self._is_undone:
            return
        dialect = self._database.dialect
        fault, code = dialect.classify(error)
        self._cause = Faulted(fault, f"{code}, {_CAUGHT}", dialect.named(error))
        self._is_undone, self._error_id = False, id(error)

    def judge(self, _: Any, __: Any, statement: str, *___: Any) -> None:
        """Let nothing but the way back follow a failure: where the transaction is gone, a write would stand at once."""
        if self._cause is not None and not self._is_undone and _verb(statement) != "RO":
            raise self._cause

    def note_success(self, _: Any, __: Any, statement: str, *___: Any) -> None:
        """A statement was made; one that goes back to before the failure makes it undone."""
        match _verb(statement), statement.rstrip("; \n").rsplit(maxsplit=1)[-1]:
            case "SA", name:
                self._savepoints.add(name)
            case "RE", name:
                self._savepoints.discard(name)
            case "RO", name:
                self._is_undone = self._is_undone or name in self._savepoints

    def cause_of(self, error: Exception | None) -> Faulted | None:
        """What to raise instead of it, or though there is none."""
        if isinstance(error, DBAPIError):
            return self._cause if id(error) != self._error_id else None
        if isinstance(error, PendingRollbackError):  # a session went back, with all that it had written
            return self._cause
        return None if self._is_undone else self._cause


def _verb(statement: str) -> str:
    """The first letters of a statement about a savepoint."""
    found = _SAVEPOINT.match(statement)
    return found[1][:2].upper() if found else ""


_watched: WeakKeyDictionary[Connection, Failures] = WeakKeyDictionary()


@contextmanager
def accounted(database: Database) -> Iterator[Failures]:
    """Let no failure of a statement pass that was not taken back to a savepoint of the function's own.

    Raises:
        Faulted: a statement failed, and the function went on, or failed by something else.
    """
    connection = database.connection
    failures = _watched[connection] = Failures(database)
    event.listen(connection.dialect, "handle_error", _note)
    event.listen(connection, "before_cursor_execute", failures.judge)
    event.listen(connection, "after_cursor_execute", failures.note_success)
    try:
        yield failures
    except Exception as error:
        if cause := failures.cause_of(error):
            raise cause from None
        raise
    else:
        if cause := failures.cause_of(None):
            raise cause
    finally:
        event.remove(connection, "before_cursor_execute", failures.judge)
        event.remove(connection, "after_cursor_execute", failures.note_success)
        del _watched[connection]


def _note(context: ExceptionContext) -> None:
    """For all connections of the engine: SQLAlchemy tells errors to no single one."""
    failures = _watched.get(context.connection) if context.connection is not None else None
    if failures is not None and isinstance(context.sqlalchemy_exception, DBAPIError):
        failures.note_error(context.sqlalchemy_exception)
