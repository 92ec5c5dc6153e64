"""Tracing: everything that a function of a revision does, its calls followed into the project's own code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.calls import operations_of
from backfill.linting.functions import functions_of
from backfill.linting.module import Function, Module, Modules
from backfill.linting.operation import Loop, Operation
from backfill.linting.scope import Scope, scope_of_call, top_of
from backfill.linting.sessions import Assignment, assignment
from backfill.linting.site import Site

DEEPEST = 8
"""Calls within calls."""

FARTHEST = 2
"""Modules that are followed from the revision: beyond them it is the application, which no one reads with it."""


def trace(modules: Modules, module: Module, name: str) -> list[Operation]:
    """The operations of a function, in the order in which they stand."""
    function = module.functions.get(name)
    if function is None:
        return []
    top = top_of(modules, module)
    return list(Trace().enter(function, Scope(modules, module, function, outer=top), ()))


class Trace:
    """One walk through a function and what it calls; each function once on a way, so that recursion ends."""

    def __init__(self) -> None:
        self._way: list[Function] = []
        self._modules: list[Module] = []

    def enter(self, function: Function, scope: Scope, loops: tuple[Loop, ...]) -> Iterator[Operation]:
        """What happens in a function when it is called."""
        is_far = len(dict.fromkeys([*self._modules, scope.module])) > FARTHEST + 1
        if function in self._way or len(self._way) >= DEEPEST or is_far:
            return
        self._way.append(function)
        self._modules.append(scope.module)
        for statement in function.body:
            yield from self._visit(statement, scope, loops)
        self._way.pop()
        self._modules.pop()

    def _visit(self, node: ast.AST, scope: Scope, loops: tuple[Loop, ...]) -> Iterator[Operation]:
        if isinstance(node, Function | ast.ClassDef | ast.Lambda):
            return
        if isinstance(node, Loop):
            yield from self._looped(node, scope, loops)
            return
        for child in _in_order(node):
            yield from self._visit(child, scope, loops)
        if isinstance(node, ast.Call):
            yield from self._called(Site(node, scope, loops))
        elif isinstance(node, Assignment):
            yield from assignment(node, scope, loops)

    def _looped(self, node: Loop, scope: Scope, loops: tuple[Loop, ...]) -> Iterator[Operation]:
        head = node.test if isinstance(node, ast.While) else node.iter
        yield from self._visit(head, scope, loops if not isinstance(node, ast.While) else (*loops, node))
        for statement in (*node.body, *node.orelse):
            yield from self._visit(statement, scope, (*loops, node))

    def _called(self, site: Site) -> Iterator[Operation]:
        yield from operations_of(site)
        for function, scope in self._targets(site):
            inner = scope_of_call(function, scope, site.call, site.scope)
            yield from self.enter(function, inner, site.loops)

    def _targets(self, site: Site) -> Iterator[tuple[Function, Scope]]:
        """The project's functions that a call leads to, those among its arguments included."""
        yield from functions_of(site.call.func, site.scope)
        for argument in site.call.args:
            if isinstance(argument, ast.Name) and site.call.func is not argument:
                yield from functions_of(argument, site.scope)
        if site.name == "globals":
            for name, function in site.scope.module.functions.items():
                if name.startswith("upgrade_"):
                    yield function, site.scope.top


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Children as they are evaluated: what is assigned before what it is assigned to."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        if node.value is not None:
            yield node.value
        return
    yield from ast.iter_child_nodes(node)
