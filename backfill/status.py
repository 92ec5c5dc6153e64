"""Status: where a run can be, and the moves it may make."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from backfill.errors import IllegalMove


class Status(StrEnum):
    """Where a run is."""

    PENDING = "pending"
    """Registered by a deferring migration; nobody has started it."""

    RUNNING = "running"
    """A worker holds it, or held it when it was killed."""

    PAUSED = "paused"
    """Stopped between two batches, by request."""

    FAILED = "failed"
    """A row or the database said no; the reason is kept."""

    COMPLETED = "completed"
    """Every slice is walked and the last sweep found nothing left."""

    CANCELLED = "cancelled"
    """Given up; finished batches stay."""

    UNDOING = "undoing"
    """Its writes are being taken back, or were when that was interrupted."""

    UNDONE = "undone"
    """A downgrade took it back: the next run starts from the first row."""


MOVES: Mapping[Status, frozenset[Status]] = {
    Status.PENDING: frozenset(
        {
            Status.RUNNING,  # `backfill run`
            Status.CANCELLED,  # `backfill cancel`
            Status.UNDONE,  # the deferring revision is downgraded
        }
    ),
    Status.RUNNING: frozenset(
        {
            Status.RUNNING,  # a worker takes over from one that was killed
            Status.PAUSED,  # Ctrl-C, SIGTERM or `backfill pause`
            Status.FAILED,  # a row or the database said no
            Status.COMPLETED,  # the last sweep found nothing
            Status.CANCELLED,  # `backfill cancel`
            Status.UNDOING,  # `backfill undo` after its worker was killed
            Status.UNDONE,  # the revision is downgraded after its worker was killed
        }
    ),
    Status.PAUSED: frozenset(
        {
            Status.RUNNING,  # `backfill run`, or the next upgrade
            Status.PAUSED,  # `backfill pause` and Ctrl-C at the same time
            Status.CANCELLED,  # `backfill cancel`
            Status.UNDOING,  # `backfill undo`
            Status.UNDONE,  # the revision is downgraded half-way
        }
    ),
    Status.FAILED: frozenset(
        {
            Status.RUNNING,  # `backfill run`, once the cause is mended
            Status.CANCELLED,  # `backfill cancel`
            Status.UNDOING,  # `backfill undo`
            Status.UNDONE,  # the revision is downgraded half-way
        }
    ),
    Status.COMPLETED: frozenset(
        {
            Status.UNDOING,  # `backfill undo`
            Status.UNDONE,  # the revision is downgraded
        }
    ),
    Status.CANCELLED: frozenset(
        {
            Status.UNDOING,  # `backfill undo`
            Status.UNDONE,  # the revision is downgraded
        }
    ),
    Status.UNDOING: frozenset(
        {
            Status.UNDOING,  # `backfill undo` goes on where it was interrupted
            Status.UNDONE,  # nothing is left to take back
        }
    ),
    Status.UNDONE: frozenset(
        {
            Status.UNDOING,  # `backfill undo` of one that was reset, whose images are still there
        }
    ),
}

ACTIVE = frozenset({Status.PENDING, Status.RUNNING, Status.PAUSED, Status.FAILED})
"""With a run in one of these `backfill run` goes on."""

HOLDING = ACTIVE | {Status.UNDOING}
"""A name has at most one run in one of these."""


def require_move(name: str, current: Status, wanted: Status) -> None:
    """Raise IllegalMove unless a run of `name` may go from `current` to `wanted`."""
    if wanted not in MOVES[current]:
        raise IllegalMove(f"{name} is {current} and cannot become {wanted}. See it with: backfill status {name}")
