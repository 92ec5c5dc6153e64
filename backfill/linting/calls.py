"""Calls: what one call in a revision does: to the schema, to rows, or to the transaction."""

from __future__ import annotations

from collections.abc import Iterator

from backfill.linting.execution import execution
from backfill.linting.expressions import named_table
from backfill.linting.operation import Kind, Operation
from backfill.linting.sessions import session_operations
from backfill.linting.site import Site
from backfill.linting.structure import schema_operation

_OURS = {
    "run_backfill": Kind.FILL,
    "require_backfill": Kind.GATE,
    "reset_backfill": Kind.RESET,
    "undo_backfill": Kind.RESET,
}


def operations_of(site: Site) -> Iterator[Operation]:
    """What the call does by itself; what it leads to is for the trace."""
    schema = schema_operation(site)
    if site.name in _OURS:
        yield site.operation(_OURS[site.name], site.name, name=site.string(0))
    elif schema is not None:
        yield schema
    elif site.name == "bulk_insert" and site.call.args:
        yield site.operation(Kind.ROWS, "INSERT", table=named_table(site.call.args[0], site.scope), is_built=True)
    else:
        yield from execution(site)
        yield from session_operations(site)
