"""Keeps the ledger out of autogenerate and `alembic check`; a plugin that Alembic loads by itself.

Alembic imports this module while it is half imported itself, so nothing heavy and little of Alembic is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from backfill.schema import owns


def setup(plugin: Any) -> None:
    """What Alembic, since 1.18, calls on a plugin."""
    _register(plugin.add_autogenerate_comparator)


def register(comparators: Any) -> None:
    """Add ours to Alembic's global comparators, which no env.py can switch off and which Alembic 1.16 has too."""
    _register(lambda comparator, target, **priority: comparators.dispatch_for(target, **priority)(comparator))


def _register(add: Callable[..., Any]) -> None:
    from alembic import util  # noqa: PLC0415  # not importable at the top: see above

    priorities = getattr(util, "DispatchPriority", None)
    if priorities is None:  # before 1.18, in order of registration
        add(hide_ledger, "schema")
    else:
        add(overlook_ledger, "schema", priority=priorities.FIRST)
        add(hide_ledger, "schema", priority=priorities.LAST)


def overlook_ledger(context: Any, _upgrade_ops: Any, _schemas: Any) -> None:
    """Keep the ledger's tables from being looked at, which the log would call "removed"; `hide_ledger` is the proof."""
    filters = getattr(context, "_name_filters", None)
    if isinstance(filters, list):
        filters.append(lambda name, kind, _parents: kind != "table" or not owns(name))


def hide_ledger(_context: Any, upgrade_ops: Any, _schemas: Any) -> None:
    """Drop what autogenerate wants to do about the ledger's tables, which no model declares."""
    upgrade_ops.ops[:] = [operation for operation in upgrade_ops.ops if not _is_about_the_ledger(operation)]


def _is_about_the_ledger(operation: Any) -> bool:
    return owns(getattr(operation, "table_name", None))


class _IterableModule(ModuleType):
    """Alembic 1.18.0 to 1.20.0 iterate over the entry point, 1.20.1 takes the module itself: both get this one."""

    def __iter__(self) -> Iterator[ModuleType]:
        yield self


sys.modules[__name__].__class__ = _IterableModule
