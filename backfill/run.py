"""Run: one execution of a transform, as the ledger has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from backfill.batch import Tally
from backfill.status import Status


@dataclass(frozen=True)
class Run:
    """One execution of a transform; counts are sums over its slices."""

    id: int
    name: str
    status: Status
    reason: str | None
    fingerprint: str
    rows_estimated: int | None
    keeps_undo: bool
    """Images of what its rows held are kept, so that it can be undone."""
    rows_read: int
    tally: Tally
    rows_per_second: float | None
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime
    completed_at: datetime | None
    owner: str | None
    lease_left: float | None

    @property
    def rows_written(self) -> int:
        """Updated, inserted and deleted together."""
        return self.tally.written

    @classmethod
    def of(cls, row: Any) -> Self:
        """The run that a row of the ledger describes."""
        written, inserted, deleted = (
            int(count or 0) for count in (row.rows_written, row.rows_inserted, row.rows_deleted)
        )
        return cls(
            id=row.id,
            name=row.name,
            status=Status(row.status),
            reason=row.reason,
            fingerprint=row.fingerprint,
            rows_estimated=row.rows_estimated,
            keeps_undo=bool(row.keeps_undo),
            rows_read=int(row.rows_read or 0),
            tally=Tally(written - inserted - deleted, inserted, deleted, int(row.rows_skipped or 0)),
            rows_per_second=row.rows_per_second,
            created_at=row.created_at,
            started_at=row.started_at,
            updated_at=row.slices_updated_at or row.updated_at,
            completed_at=row.completed_at,
            owner=row.owner,
            lease_left=None if row.lease_left is None else float(row.lease_left),
        )
