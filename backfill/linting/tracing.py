"""Tracing: everything that a function of a revision does, its calls followed into the project's own code."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.calls import operations_of
from backfill.linting.module import Function, Module, Modules
from backfill.linting.operation import Loop, Operation
from backfill.linting.scope import Meaning, Scope, top_of
from backfill.linting.sessions import Assignment, assignment
from backfill.linting.site import Site

DEEPEST = 8
"""Calls within calls."""

FARTHEST = 2
"""Modules that are followed from the revision: beyond them it is the application, which no one reads with it."""

_FOREIGN = frozenset({"op", "sa", "context"})


def trace(modules: Modules, module: Module, name: str) -> list[Operation]:
    """The operations of a function, in the order in which they stand."""
    function = module.functions.get(name)
    if function is None:
        return []
    return list(Trace().enter(function, top_of(modules, module), {}, ()))


class Trace:
    """One walk through a function and what it calls; each function once on a way, so that recursion ends."""

    def __init__(self) -> None:
        self._way: list[Function] = []
        self._modules: list[Module] = []

    def enter(
        self, function: Function, outer: Scope, given: dict[str, Meaning], loops: tuple[Loop, ...]
    ) -> Iterator[Operation]:
        """What happens in a function when it is called."""
        scope = Scope(outer.modules, outer.module, function, given, outer)
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
            yield from self.enter(function, scope, _given(function, site), site.loops)

    def _targets(self, site: Site) -> Iterator[tuple[Function, Scope]]:
        """The project's functions that a call leads to, those among its arguments included."""
        yield from _functions(site.call.func, site.scope)
        for argument in site.call.args:
            if isinstance(argument, ast.Name) and site.call.func is not argument:
                yield from _functions(argument, site.scope)
        if site.name == "globals":
            for name, function in site.scope.module.functions.items():
                if name.startswith("upgrade_"):
                    yield function, site.scope.top


def _functions(node: ast.expr, scope: Scope) -> Iterator[tuple[Function, Scope]]:
    if isinstance(node, ast.Name):
        own = scope.function(node.id)
        if own:
            yield own
        else:
            yield from _imported(node.id, scope)
    elif isinstance(node, ast.Attribute):
        yield from _method(node, scope)


def _imported(name: str, scope: Scope) -> Iterator[tuple[Function, Scope]]:
    found = scope.module.imports.get(name)
    target = found and scope.modules.imported(scope.module, found)
    if target and target[1] in target[0].functions:
        module = target[0]
        yield module.functions[str(target[1])], top_of(scope.modules, module)


def _method(node: ast.Attribute, scope: Scope) -> Iterator[tuple[Function, Scope]]:
    root = node.value
    if isinstance(root, ast.Name) and root.id in scope.module.imports:
        target = scope.modules.imported(scope.module, scope.module.imports[root.id])
        if target and target[1] is None and node.attr in target[0].functions:
            yield target[0].functions[node.attr], top_of(scope.modules, target[0])
        return
    if node.attr in scope.module.methods and not (isinstance(root, ast.Name) and root.id in _FOREIGN):
        for method in scope.module.methods[node.attr]:
            yield method, scope.top


def _given(function: Function, site: Site) -> dict[str, Meaning]:
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    if names[:1] in (["self"], ["cls"]):
        names = names[1:]
    by_position = dict(zip(names, site.call.args, strict=False))
    by_name = {each.arg: each.value for each in site.call.keywords if each.arg}
    return {name: Meaning(value, site.scope) for name, value in (by_position | by_name).items()}


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Children as they are evaluated: what is assigned before what it is assigned to."""
    if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        if node.value is not None:
            yield node.value
        return
    yield from ast.iter_child_nodes(node)
