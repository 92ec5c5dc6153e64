"""Rejections: the ledger's record of rows that could not be filled, and why; only this module writes them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from backfill import schema
from backfill.database import Database
from backfill.key import Key, decode_key, encode_key
from backfill.status import Status

_rejection, _run = schema.rejection, schema.run


class Standing(StrEnum):
    """Where a rejection stands."""

    OPEN = "open"
    """The row waits, and the run with it."""

    RETRYING = "retrying"
    """The next run takes the row again."""

    ACCEPTED = "accepted"
    """Somebody said that the row may stay as it is."""


@dataclass(frozen=True)
class Rejection:
    """A row that could not be filled."""

    id: int
    table: str
    key: Key
    reason: str
    standing: Standing

    @classmethod
    def of(cls, row: Any) -> Self:
        """The rejection that a row of the ledger describes."""
        return cls(row.id, row.table_name, decode_key(row.key), row.reason, Standing(row.status))


class Rejections:
    """The rejections of one run."""

    def __init__(self, database: Database, run_id: int) -> None:
        self._database = database
        self._connection = database.connection
        self._of_run = _rejection.c.run_id == run_id
        self._run_id = run_id

    def all(self, *standings: Standing) -> Sequence[Rejection]:
        """Those that stand so, in the order in which they were met."""
        statement = select(_rejection).where(self._of_run, _is(standings)).order_by(_rejection.c.id)
        with self._database.faults():
            return [Rejection.of(row) for row in self._connection.execute(statement)]

    def count(self, *standings: Standing) -> int:
        """How many stand so."""
        statement = select(func.count()).select_from(_rejection).where(self._of_run, _is(standings))
        with self._database.faults():
            return int(self._connection.execute(statement).scalar_one())

    def add(self, table: str, reasons: Mapping[Key, str]) -> None:
        """Enter rows of a table, in the transaction of the batch that leaves them out."""
        rows = [
            {
                "run_id": self._run_id,
                "table_name": table,
                "key": encode_key(key),
                "key_hash": _hash(table, key),
                "reason": reason,
                "status": Standing.OPEN,
            }
            for key, reason in reasons.items()
        ]
        known = _rejection.c.key_hash.in_([row["key_hash"] for row in rows])
        self._connection.execute(delete(_rejection).where(self._of_run, known))
        self._connection.execute(insert(_rejection).values(created_at=self._database.dialect.clock()), rows)

    def move(self, standing: Standing, numbers: Collection[int] = ()) -> int:
        """Bring open rejections, all or those of these numbers, to another standing; gives how many."""
        meant = [_rejection.c.id.in_(numbers)] if numbers else []
        open_ = _rejection.c.status == Standing.OPEN
        moved = self._connection.execute(update(_rejection).where(self._of_run, open_, *meant).values(status=standing))
        return moved.rowcount

    def drop_retried(self) -> None:
        """Forget those that were taken again and passed."""
        self._connection.execute(delete(_rejection).where(self._of_run, _rejection.c.status == Standing.RETRYING))


def accepted_keys(database: Database, name: str, table: str) -> Sequence[Key]:
    """Rows of a table that may stay as they are, whichever run of `name` has rejected them, unless it was undone."""
    with database.faults():
        if not schema.exists(database.connection):
            return ()
        stays = (
            select(_rejection.c.key)
            .join(_run, _run.c.id == _rejection.c.run_id)
            .where(_run.c.name == name, _run.c.status != Status.UNDONE)
            .where(_rejection.c.table_name == table, _rejection.c.status == Standing.ACCEPTED)
        )
        return [decode_key(key) for key in database.connection.execute(stays).scalars()]


def _is(standings: Collection[Standing]) -> ColumnElement[bool]:
    return _rejection.c.status.in_(standings)


def _hash(table: str, key: Key) -> str:
    return hashlib.sha256(f"{table} {encode_key(key)}".encode()).hexdigest()
