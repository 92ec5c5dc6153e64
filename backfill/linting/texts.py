"""Texts: the strings that an expression may be, with a mark where only a run can know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

from backfill.linting.functions import functions_of
from backfill.linting.module import REACH
from backfill.linting.scope import Meaning, Scope, scope_of_call
from backfill.linting.sql import UNKNOWN

MOST = 40
"""Readings of one expression; a text of many parts, each with several, would have too many."""

_TRANSPARENT = frozenset({"text", "dedent", "cleandoc", "str", "DDL", "SQL", "TextClause", "literal_column"})


def texts_of(node: ast.expr, scope: Scope) -> list[str]:
    """The strings that the expression may be; UNKNOWN alone if it may be anything."""
    if node not in scope.texts:
        scope.texts[node] = [UNKNOWN]  # what is made of itself can be anything
        readings = (text for meaning in scope.meanings(node) for text in _read(meaning))
        scope.texts[node] = list(islice(dict.fromkeys(readings), MOST)) or [UNKNOWN]
    return scope.texts[node]


def _read(meaning: Meaning) -> Iterator[str]:
    node, scope = meaning.node, meaning.scope
    if isinstance(node, ast.Constant):
        yield node.value if isinstance(node.value, str) else str(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield from _joined([texts_of(_part(part), scope) for part in node.values])
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _joined([texts_of(node.left, scope), texts_of(node.right, scope)])
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        for pattern in texts_of(node.left, scope):
            yield _filled(pattern)
    elif isinstance(node, ast.Call):
        yield from _called(node, scope)
    else:
        yield UNKNOWN


def _part(part: ast.expr) -> ast.expr:
    return part.value if isinstance(part, ast.FormattedValue) else part


def _joined(parts: list[list[str]]) -> Iterator[str]:
    for combination in islice(product(*parts), MOST):
        yield "".join(combination)


def _filled(pattern: str) -> str:
    for mark in ("%s", "%d", "%r"):
        pattern = pattern.replace(mark, UNKNOWN)
    return pattern


def _called(call: ast.Call, scope: Scope) -> Iterator[str]:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in _TRANSPARENT and call.args:
        yield from texts_of(call.args[0], scope)
    elif name == "format" and isinstance(function, ast.Attribute):
        yield from _formatted(call, function, scope)
    elif name == "join" and isinstance(function, ast.Attribute) and call.args:
        yield from _concatenated(call, function, scope)
    else:
        yield from _returned(call, scope) or _filed(call, scope) or _unchanged(function, scope)


def _returned(call: ast.Call, scope: Scope) -> list[str]:
    """What a function of the project gives back."""
    texts: list[str] = []
    for function, outer in functions_of(call.func, scope):
        inner = scope_of_call(function, outer, call, scope)
        given = (node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value)
        texts += (text for value in given for text in texts_of(value, inner))
    return texts


def _unchanged(function: ast.expr, scope: Scope) -> list[str]:
    """What a method is called on: `strip()`, `bindparams()` and their like leave it what it is."""
    return texts_of(function.value, scope) if isinstance(function, ast.Attribute) else [UNKNOWN]


def _formatted(call: ast.Call, function: ast.Attribute, scope: Scope) -> Iterator[str]:
    for pattern in texts_of(function.value, scope):
        for name, value in [*((str(n), each) for n, each in enumerate(call.args)), *_named(call)]:
            pattern = pattern.replace(f"{{{name}}}", texts_of(value, scope)[0])  # noqa: PLW2901
        while "{}" in pattern and call.args:
            pattern = pattern.replace("{}", texts_of(call.args[0], scope)[0], 1)  # noqa: PLW2901
        yield pattern


def _named(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    return ((keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg)


def _concatenated(call: ast.Call, function: ast.Attribute, scope: Scope) -> Iterator[str]:
    for meaning in scope.meanings(call.args[0]):
        parts = meaning.node.elts if isinstance(meaning.node, ast.List | ast.Tuple) else [call.args[0]]
        between = texts_of(function.value, scope)[0]
        yield between.join(texts_of(part, meaning.scope)[0] for part in parts)


def _filed(call: ast.Call, scope: Scope) -> list[str]:
    """The text of an .sql file that the call names, if there is one near the revision."""
    names = [
        text
        for node in ast.walk(call)
        if isinstance(node, ast.Constant | ast.Name)
        for text in texts_of(node, scope)
        if text.endswith(".sql") and UNKNOWN not in text
    ]
    return [text for name in names for text in _file_texts(scope.module.path, name)][:1]


def _file_texts(path: Path, name: str) -> Iterator[str]:
    beside = (parent / name for parent in path.parents[:REACH])
    below = (found for parent in path.parents[:2] for found in sorted(parent.rglob(Path(name).name)))
    for found in (*beside, *below):
        if found.is_file():
            yield found.read_text(encoding="utf-8", errors="replace")
