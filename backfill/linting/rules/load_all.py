"""All rows in memory before the first is written."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.columns import called
from backfill.linting.execution import EXECUTES, executed
from backfill.linting.expressions import built, chain
from backfill.linting.finding import Place
from backfill.linting.history import History
from backfill.linting.operation import Loop, Operation
from backfill.linting.paging import iterated
from backfill.linting.remedies import as_transform
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule
from backfill.linting.scope import Scope
from backfill.linting.statement import Statement

_LOADS = frozenset({"all", "fetchall", "list"})


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    seen: set[Loop] = set()
    for write in revision.writes:
        for loop in iterated(write):
            load = _load(loop, write) if loop not in seen else None
            seen.add(loop)
            if load is not None:
                yield Flaw(
                    Place(write.place.path, loop.lineno),
                    f"`{ast.unparse(load)[-40:]}` brings every row into memory before the first is written, "
                    "however many there are",
                    as_transform(write),
                )


def _load(loop: ast.For, write: Operation) -> ast.Call | None:
    """The call that loads what the loop goes through."""
    for meaning in write.scope.meanings(loop.iter):
        for link in chain(meaning.node, meaning.scope):
            call = link.node
            if isinstance(call, ast.Call) and called(call) in _LOADS and _is_query(call, link.scope):
                return call
    return None


def _is_query(call: ast.Call, scope: Scope) -> bool:
    """Whether it loads what a SELECT without LIMIT gives."""
    start = call.args[0] if called(call) == "list" and call.args else call.func
    receiver = start.value if isinstance(start, ast.Attribute) else start
    found = [*built(receiver, scope), *_executed(receiver, scope)]
    return any(statement.verb == "SELECT" and not statement.is_limited for statement in found[:1])


def _executed(node: ast.expr, scope: Scope) -> Iterator[Statement]:
    for link in chain(node, scope):
        call = link.node
        if isinstance(call, ast.Call) and called(call) in EXECUTES and call.args:
            yield from (statement for statement, _ in executed(call.args[0], link.scope))


RULE = Rule("load-all", "Every row is brought into memory before the first is written.", _inspect)
