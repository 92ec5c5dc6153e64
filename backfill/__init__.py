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
    from backfill.declaration.conditions import is_missing
    from backfill.declaration.decorator import Rows, Transform, transform
    from backfill.declaration.forms.row import Rejected
    from backfill.errors import BackfillError

__all__ = ["BackfillError", "Rejected", "Rows", "Transform", "is_missing", "transform"]

_HOMES = {
    "BackfillError": "backfill.errors",
    "Rejected": "backfill.declaration.forms.row",
    "Rows": "backfill.declaration.decorator",
    "Transform": "backfill.declaration.decorator",
    "is_missing": "backfill.declaration.conditions",
    "transform": "backfill.declaration.decorator",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for, so that `backfill --help` need not wait for SQLAlchemy."""
    if name not in _HOMES:
        raise AttributeError(f"module 'backfill' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
