"""Functions: which of the project's own functions a call leads to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.module import Function
from backfill.linting.scope import Scope, top_of

_FOREIGN = frozenset({"op", "sa", "context"})
"""Names that are never an object of the revision's own classes."""


def functions_of(node: ast.expr, scope: Scope) -> Iterator[tuple[Function, Scope]]:
    """The functions that what is called may be, each with the scope in which it was defined."""
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
