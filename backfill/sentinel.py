"""Sentinel: tells whether a batch's transaction is still the one that was begun for it.

COMMIT, DDL or a trigger's ROLLBACK inside a batch ends its transaction without an error, and from there on each
statement stands at once. A savepoint does not survive that; nor does a setting of the transaction's own, where a
database has such, and that costs the batch no statement.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, select, true
from sqlalchemy.exc import DBAPIError

from backfill.declaration.conditions import Condition
from backfill.dialect import Dialect
from backfill.errors import BackfillError, ForeignCommit
from backfill.fault import Fault, Faulted

UNDOING = frozenset({Fault.CONFLICT, Fault.TOO_SLOW, Fault.UNWRITABLE, Fault.LINK})
"""Faults after which a database may have taken the transaction back by itself, so that nobody inside need have."""

NO_MORE = "25P02"
"""PostgreSQL's: a statement failed in the transaction, which is still there, and takes no other one."""


class Sentinel:
    """Stands in one transaction."""

    is_whole: Condition = true()
    """What is left to ask after `end`, by the batch's last write itself."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        self._connection = connection
        self._dialect = dialect

    def check(self) -> None:
        """Look half-way.

        Raises:
            ForeignCommit: the transaction is not the same any more, so part of the batch may stand without its
                checkpoint.
        """
        raise NotImplementedError

    def end(self) -> None:
        """Look before the batch's last write, unless that asks `is_whole`; raises as `check` does."""

    def look_back(self) -> None:
        """Look after a last write that asked `is_whole` and found nothing to write; raises as `check` does."""

    @contextmanager
    def over(self) -> Iterator[None]:
        """Look when what runs inside fails: to go on after its error would write again what it had committed.

        Raises:
            ForeignCommit: instead of the error, which its note tells.
        """
        try:
            yield
        except Exception as error:
            if self._fault_of(error) not in UNDOING:
                self._look_behind(error)
            raise

    def _look_behind(self, error: Exception) -> None:
        try:
            self.check()
        except DBAPIError:
            return  # the transaction is there, and takes no statement
        except ForeignCommit as ended:
            ended.add_note(f"What failed after it, or by it: {self._told(error)}")
            raise

    def _told(self, error: Exception) -> str:
        if isinstance(error, DBAPIError):
            return ", ".join(self._dialect.classify(error))
        return str(error) if isinstance(error, BackfillError | Faulted) else type(error).__name__

    def _fault_of(self, error: Exception) -> Fault | None:
        if isinstance(error, DBAPIError):
            return self._dialect.classify(error)[0]
        return error.fault if isinstance(error, Faulted) else None

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            fault, code = self._dialect.classify(error)
            if fault is Fault.LINK or code == NO_MORE:
                raise
            raise _foreign_commit() from None


class Savepoint(Sentinel):
    """Survives only if nobody ends the transaction."""

    def __init__(self, connection: Connection, dialect: Dialect) -> None:
        super().__init__(connection, dialect)
        self._name = f"backfill_{secrets.token_hex(4)}"
        self._set()

    def check(self) -> None:
        """Release it, and set it again."""
        self.end()
        self._set()

    def end(self) -> None:
        """Release it."""
        with self._noticing():
            self._connection.exec_driver_sql(f"RELEASE SAVEPOINT {self._name}")

    def _set(self) -> None:
        self._connection.exec_driver_sql(f"SAVEPOINT {self._name}")


class Mark(Sentinel):
    """A condition that holds only in the transaction that was begun."""

    def __init__(self, connection: Connection, dialect: Dialect, is_begun: Condition) -> None:
        super().__init__(connection, dialect)
        self.is_whole = is_begun

    def check(self) -> None:
        """Ask for it."""
        with self._noticing():
            is_whole = self._connection.scalar(select(self.is_whole))
        if not is_whole:
            raise _foreign_commit()

    look_back = check


def _foreign_commit() -> ForeignCommit:
    return ForeignCommit(
        "something inside the batch committed or rolled back (COMMIT, DDL, on MariaDB ANALYZE and LOCK TABLES too, a "
        "trigger's ROLLBACK), so the batch is not one unit any more. Find it in the transform, and compare the rows of "
        "this batch before it is taken again"
    )
