"""Expressions: statements that are built with SQLAlchemy instead of written as SQL."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.columns import called, column_of, filter_of, value_of
from backfill.linting.scope import Meaning, Scope
from backfill.linting.statement import Statement, Value

_ROW_CALLS = {"insert": "INSERT", "update": "UPDATE", "delete": "DELETE", "upsert": "INSERT", "replace": "INSERT"}
_READ_CALLS = frozenset({"select", "query"})
_DDL_CALLS = {
    "CreateTable": "CREATE",
    "DropTable": "DROP",
    "CreateIndex": "CREATE",
    "DropIndex": "DROP",
    "AddConstraint": "ALTER",
    "DropConstraint": "ALTER",
    "CreateSequence": "CREATE",
    "DropSequence": "DROP",
    "CreateSchema": "CREATE",
    "DropSchema": "DROP",
}
_TABLES = frozenset({"table", "Table", "TableClause", "alias", "aliased", "lateral"})


def built(node: ast.expr, scope: Scope) -> Iterator[Statement]:
    """The statements that an expression may build; nothing if it builds none."""
    for meaning in scope.meanings(node):
        links = list(chain(meaning.node, meaning.scope))
        statement = _statement(links)
        if statement:
            yield statement


def chain(node: ast.expr, scope: Scope) -> Iterator[Meaning]:
    """The calls of `a.b().c()`, the last one first, also where a name stands for its beginning."""
    seen: set[ast.expr] = set()
    while node not in seen:
        seen.add(node)
        if isinstance(node, ast.Call):
            yield Meaning(node, scope)
            node = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        elif isinstance(node, ast.Attribute):
            node = node.value
        elif isinstance(node, ast.Name):
            meanings = (
                each for each in scope.meanings(node) if isinstance(each.node, ast.Call) and each.node not in seen
            )
            found = next(meanings, None)
            if found is None:
                return
            node, scope = found.node, found.scope


def _statement(links: list[Meaning]) -> Statement | None:
    for position, link in enumerate(links):
        call = _call(link)
        name = called(call)
        if name in _DDL_CALLS:
            return Statement(_DDL_CALLS[name])
        if name in _ROW_CALLS and _is_statement(call, link.scope):
            return _written(_ROW_CALLS[name], link, links)
        if name == "query" or (name in _READ_CALLS and position == len(links) - 1):
            return _selected(link, links)
    return None


def _call(link: Meaning) -> ast.Call:
    assert isinstance(link.node, ast.Call), "a chain is one of calls"
    return link.node


def _is_statement(call: ast.Call, scope: Scope) -> bool:
    """`insert(t)`, `t.insert()` and `query.update({...})`, not `"".replace()` or a dictionary's update."""
    name = called(call)
    if name in ("replace", "upsert"):
        return False
    if isinstance(call.func, ast.Name):
        return scope.module.dotted(call.func) != call.func.id or bool(call.args)
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else call
    return not any(
        isinstance(each.node, ast.Dict | ast.List | ast.Constant | ast.JoinedStr) for each in scope.meanings(receiver)
    )


def _written(verb: str, link: Meaning, links: list[Meaning]) -> Statement:
    assigned = {name: value for each in links for name, value in _values(each)}
    wheres = _wheres(links)
    return Statement(
        verb,
        table_of(link),
        assigned,
        filter_of(wheres) if wheres else None,
        source="" if any(called(_call(each)) == "from_select" for each in links) else None,
        is_limited=_has(links, "limit"),
    )


def _selected(link: Meaning, links: list[Meaning]) -> Statement:
    wheres = _wheres(links)
    orders = [argument for each in links if called(_call(each)) == "order_by" for argument in _call(each).args]
    return Statement(
        "SELECT",
        table_of(link),
        where=filter_of(wheres) if wheres else None,
        order=[_ordered(argument) for argument in orders] if orders else None,
        is_limited=_has(links, "limit", "yield_per", "slice"),
        is_offset=_has(links, "offset"),
    )


def _wheres(links: list[Meaning]) -> list[ast.expr]:
    taken = (each for each in links if called(_call(each)) in ("where", "filter", "filter_by"))
    return [argument for each in taken for argument in _arguments(each)]


def _has(links: list[Meaning], *names: str) -> bool:
    return any(called(_call(each)) in names for each in links)


def _ordered(node: ast.expr) -> str:
    """The column that is ordered by, without asc() or desc()."""
    while isinstance(node, ast.Call):
        node = (
            node.func.value if isinstance(node.func, ast.Attribute) and not node.args else (node.args or [node.func])[0]
        )
    return column_of(node) or ""


def _arguments(link: Meaning) -> list[ast.expr]:
    """Conditions, with `filter_by(a=1)` as `a == 1`."""
    call = _call(link)
    named = (
        ast.Compare(ast.Name(each.arg, ast.Load()), [ast.Eq()], [each.value]) for each in call.keywords if each.arg
    )
    return [*call.args, *named]


def table_of(link: Meaning) -> str | None:
    """The table that `insert(t)`, `t.insert()`, `select(t)` or `query(T)` is about."""
    call = _call(link)
    is_method = (
        isinstance(call.func, ast.Attribute)
        and called(call) in _ROW_CALLS
        and not _is_module(call.func.value, link.scope)
    )
    node = call.func.value if is_method and isinstance(call.func, ast.Attribute) else next(iter(call.args), None)
    return None if node is None else named_table(node, link.scope)


def _is_module(node: ast.expr, scope: Scope) -> bool:
    return isinstance(node, ast.Name) and node.id in scope.module.imports and node.id not in scope.bound


def named_table(node: ast.expr, scope: Scope) -> str | None:
    """The name of a table that an expression stands for: `table("t", …)`, a frozen model, one of its columns."""
    for meaning in scope.meanings(node):
        for each in chain(meaning.node, meaning.scope):
            call = _call(each)
            if called(call) in _TABLES and call.args and isinstance(call.args[0], ast.Constant):
                return str(call.args[0].value)
            if called(call) == "query":
                return table_of(each)
        root = _root(meaning.node)
        if isinstance(root, ast.Name):
            name = _model_table(root.id, meaning.scope)
            if name or root is meaning.node:
                return name
            return named_table(root, meaning.scope)
    return None


def _model_table(name: str, scope: Scope) -> str | None:
    class_ = scope.module.classes.get(name)
    for node in class_.body if class_ else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and _is_tablename(node):
            return str(node.value.value)
    return None


def _is_tablename(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "__tablename__" for target in node.targets)


def _root(node: ast.expr) -> ast.expr:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node


def _values(link: Meaning) -> Iterator[tuple[str, Value]]:
    call = _call(link)
    if called(call) not in ("values", "update"):
        return
    for keyword in call.keywords:
        if keyword.arg:
            yield keyword.arg, value_of(keyword.value, link.scope)
    for meaning in (each for argument in call.args for each in link.scope.meanings(argument)):
        if isinstance(meaning.node, ast.Dict):
            yield from _entries(meaning.node, meaning.scope)


def _entries(mapping: ast.Dict, scope: Scope) -> Iterator[tuple[str, Value]]:
    for key, value in zip(mapping.keys, mapping.values, strict=True):
        name = str(key.value) if isinstance(key, ast.Constant) else key and column_of(key)
        if name:
            yield name, value_of(value, scope)
