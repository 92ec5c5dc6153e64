"""Keeps the ledger out of autogenerate and `alembic check`; a plugin that Alembic loads by itself.

Alembic imports this module while it is half imported itself, so nothing heavy and little of Alembic is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from backfill.schema import TABLE_NAMES


def setup(plugin: Any) -> None:
    """What Alembic calls on a plugin: register the comparator, behind those that find the tables."""
    from alembic.util import DispatchPriority  # noqa: PLC0415  # not importable at the top: see above

    plugin.add_autogenerate_comparator(hide_ledger, "schema", priority=DispatchPriority.LAST)


def hide_ledger(_context: Any, upgrade_ops: Any, _schemas: Any) -> None:
    """Drop what autogenerate wants to do about the ledger's tables, which no model declares."""
    upgrade_ops.ops[:] = [operation for operation in upgrade_ops.ops if not _is_about_the_ledger(operation)]


def _is_about_the_ledger(operation: Any) -> bool:
    return getattr(operation, "table_name", None) in TABLE_NAMES


class _IterableModule(ModuleType):
    """Alembic 1.18.0 to 1.20.0 iterate over the entry point, 1.20.1 takes the module itself: both get this one."""

    def __iter__(self) -> Iterator[ModuleType]:
        yield self


sys.modules[__name__].__class__ = _IterableModule
