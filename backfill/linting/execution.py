"""Execution: calls that execute a statement, whether it is written as SQL or built."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.expressions import built
from backfill.linting.operation import Kind, Operation
from backfill.linting.parsing import parse
from backfill.linting.scope import Scope
from backfill.linting.site import Site
from backfill.linting.statement import Statement
from backfill.linting.texts import texts_of

EXECUTES = frozenset(
    {"execute", "exec_driver_sql", "executemany", "executescript", "scalar", "scalars", "copy_expert", "fetch"}
)
_EXECUTES_SECOND = frozenset({"execute_values", "execute_batch"})


def executed(node: ast.expr, scope: Scope) -> list[tuple[Statement, bool]]:
    """The statements that an executed expression may be, and whether each was built instead of written."""
    found = [(statement, True) for statement in built(node, scope)]
    return found or [(statement, False) for text in texts_of(node, scope) for statement in parse(text)]


def execution(site: Site) -> Iterator[Operation]:
    """What the statements do that a call executes."""
    for node in _statements(site):
        for statement, is_built in executed(node, site.scope):
            kind = _kind(statement)
            if kind is not None:
                column = next(iter(statement.assigned), None)
                facts = {"statement": statement, "table": statement.table, "column": column, "is_built": is_built}
                yield site.operation(kind, statement.verb, **facts)


def _statements(site: Site) -> list[ast.expr]:
    """The expressions that are executed: an argument, or the query on which `execute()` is called."""
    arguments = site.call.args
    if site.name in EXECUTES and arguments:
        return [arguments[0]]
    if site.name in _EXECUTES_SECOND and len(arguments) > 1:
        return [arguments[1]]
    if site.name == "execute" and site.receiver is not None:
        return [site.receiver, *(each.value for each in site.call.keywords)]
    return []


def _kind(statement: Statement) -> Kind | None:
    if statement.writes_rows:
        return Kind.ROWS
    if statement.changes_schema or statement.is_temporary:
        return Kind.SCHEMA
    return {"SELECT": Kind.READ, "COMMIT": Kind.COMMIT}.get(statement.verb)
