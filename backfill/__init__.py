"""Backfill: resumable, checked data steps for Alembic migrations.

    import backfill

    @backfill.transform("users", where=backfill.is_missing("first_name"))
    def split_full_name(user: FullName) -> SplitName | None: ...

In a revision: `from backfill.alembic import run_backfill, require_backfill, reset_backfill`.
On the command line: `backfill --help`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backfill.declaration.changes import Change, Delete, Insert, Update
    from backfill.declaration.conditions import is_missing
    from backfill.declaration.decorator import Rows, Transform, seed, step, transform
    from backfill.errors import BackfillError, Rejected

__all__ = [
    "BackfillError",
    "Change",
    "Delete",
    "Insert",
    "Rejected",
    "Rows",
    "Transform",
    "Update",
    "is_missing",
    "seed",
    "step",
    "transform",
]

_HOMES = {
    "BackfillError": "backfill.errors",
    "Change": "backfill.declaration.changes",
    "Delete": "backfill.declaration.changes",
    "Insert": "backfill.declaration.changes",
    "Rejected": "backfill.errors",
    "Rows": "backfill.declaration.decorator",
    "Transform": "backfill.declaration.decorator",
    "Update": "backfill.declaration.changes",
    "is_missing": "backfill.declaration.conditions",
    "seed": "backfill.declaration.decorator",
    "step": "backfill.declaration.decorator",
    "transform": "backfill.declaration.decorator",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that `backfill --help` need not wait for SQLAlchemy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'backfill' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
