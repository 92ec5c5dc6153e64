"""Database: the connection a run was given, and how a batch's transaction begins and ends on it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Self

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError, PendingRollbackError, StatementError

from backfill.dialect import Limits
from backfill.dialects import dialect_of
from backfill.fault import Fault, Faulted
from backfill.sentinel import Mark, Savepoint, Sentinel
from backfill.watchdog import Watchdog

_COUNTING = {"preserve_rowcount": True}
"""Of an INSERT the count is dropped otherwise. A statement of its own with this option would be read anew each time."""


class Database(AbstractContextManager["Database"]):
    """One connection in AUTOCOMMIT, on which every transaction is begun and ended in plain sight.

    Where somebody else owns the transaction (`shared`), a savepoint stands for each batch instead: then the
    batches become durable together, when the owner commits.
    """

    def __init__(self, connection: Connection, limits: Limits | None = None, *, shared: bool = False) -> None:
        self.connection = connection
        self.dialect = dialect_of(connection)
        self.shared = shared
        self._limits = limits or Limits()
        self._noted: Mapping[str, Any] = {}
        self._watchdog = Watchdog(self._limits.statement_seconds)

    @classmethod
    @contextmanager
    def of(cls, engine: Engine, limits: Limits | None = None) -> Iterator[Self]:
        """A database on a connection of its own."""
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            with cls(connection, limits) as database:
                yield database
        finally:
            with suppress(DBAPIError, engine.dialect.loaded_dbapi.Error):  # a link that is lost by now is no harm
                connection.close()

    def __enter__(self) -> Self:
        """Note the session's own settings."""
        with self.faults():
            self._noted = self.dialect.prepare(self.connection, self._limits)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the session its own settings back, unless the link is gone."""
        self._watchdog.stop()
        if not self.connection.invalidated and not self.connection.closed:
            with suppress(DBAPIError, PendingRollbackError):
                self.dialect.restore(self.connection, self._noted)

    @contextmanager
    def transaction(self, *, keep: bool = True) -> Iterator[Connection]:
        """One transaction: committed at the end, or rolled back if it is not to be kept, and on any error.

        Raises:
            Faulted: for every error of the database.
        """
        with self.faults(), self._watched():
            begin, commit, rollback = self._framing()
            begin()
            try:
                yield self.connection
                (commit if keep else rollback)()
            except BaseException:
                self._try(rollback)
                raise

    def _watched(self) -> AbstractContextManager[None]:
        """Somebody else's transaction has no limit of ours, so nobody knows what is too long."""
        return nullcontext() if self.shared else self._watchdog.watching(self.connection)

    def change(self, statement: Executable, parameters: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Make a statement that writes; gives how many rows it found, or inserted."""
        found = self.connection.execute(statement, parameters, execution_options=_COUNTING)
        return max(found.rowcount, 0)

    @contextmanager
    def sentinel(self) -> Iterator[Sentinel]:
        """Something that tells whether anybody ends the transaction inside.

        Raises:
            ForeignCommit: somebody did.
        """
        is_begun = None if self.shared else self.dialect.is_begun()
        given = self.connection, self.dialect
        sentinel = Savepoint(*given) if is_begun is None else Mark(*given, is_begun)
        yield sentinel
        sentinel.end()

    def _framing(self) -> tuple[Any, Any, Any]:
        execute = self.connection.exec_driver_sql
        if self.shared:
            name = f"backfill_{secrets.token_hex(4)}"
            return (
                lambda: execute(f"SAVEPOINT {name}"),
                lambda: execute(f"RELEASE SAVEPOINT {name}"),
                lambda: execute(f"ROLLBACK TO SAVEPOINT {name}"),
            )
        return (
            lambda: self.dialect.begin(self.connection, self._limits, self._noted),
            lambda: self.dialect.end(self.connection, "COMMIT"),
            lambda: self.dialect.end(self.connection, "ROLLBACK"),
        )

    def _try(self, rollback: Any) -> None:
        try:
            rollback()
        except (DBAPIError, PendingRollbackError):
            self.connection.invalidate()  # what the server made of it is unknown; the ledger will tell

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn a driver's error into Faulted, which has a kind and a code and no row values."""
        try:
            yield
        except DBAPIError as error:
            raise Faulted(*self.dialect.classify(error), self.dialect.named(error)) from None
        except PendingRollbackError:
            raise Faulted(Fault.LINK, "connection lost") from None
        except StatementError as error:  # a value that could not be bound
            raise Faulted(Fault.ROW, type(error.orig or error).__name__) from None
        except (ValueError, OverflowError) as error:  # a value that cannot be read or sent
            raise Faulted(Fault.ROW, type(error).__name__) from None
