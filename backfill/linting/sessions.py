"""Sessions: what the ORM is told to do, and what it does because somebody set an attribute."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.columns import called
from backfill.linting.expressions import built, chain, named_table
from backfill.linting.finding import Place
from backfill.linting.operation import Kind, Loop, Operation
from backfill.linting.scope import Element, Meaning, Scope
from backfill.linting.site import Site

_SESSION_WRITES = {
    "add": "INSERT",
    "add_all": "INSERT",
    "merge": "INSERT",
    "delete": "DELETE",
    "bulk_save_objects": "INSERT",
    "bulk_insert_mappings": "INSERT",
    "bulk_update_mappings": "UPDATE",
}
_QUERY_WRITES = {"update": "UPDATE", "delete": "DELETE"}
_QUERY_READS = frozenset({"all", "first", "one", "count", "get", "one_or_none"})
_ROW_WRITES = frozenset({"save", "to_sql", "delete_instance"})
_GROWTH = frozenset({"append", "extend", "remove", "add"})

Assignment = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete


def session_operations(site: Site) -> Iterator[Operation]:
    """What a session, a query or a row is told to do by a call."""
    receiver, scope = site.receiver, site.scope
    if receiver is None:
        return
    if site.name == "commit":
        yield site.operation(Kind.COMMIT, "commit", is_orm=is_session(receiver, scope))
    elif site.name in _SESSION_WRITES and is_session(receiver, scope):
        table = named_table(site.call.args[0], scope) if site.call.args else None
        yield site.operation(Kind.ROWS, _SESSION_WRITES[site.name], table=table, is_orm=True)
    elif site.name in _QUERY_WRITES and is_query(receiver, scope):
        facts = {"table": named_table(site.call, scope), "statement": next(built(site.call, scope), None)}
        yield site.operation(Kind.ROWS, _QUERY_WRITES[site.name], is_orm=True, **facts)
    elif site.name in _QUERY_READS:
        for statement in built(receiver, scope):
            yield site.operation(Kind.READ, site.name, statement=statement, table=statement.table, is_orm=True)
    elif (site.name in _ROW_WRITES and not _is_import(receiver, scope)) or (
        site.name in _GROWTH and isinstance(receiver, ast.Attribute) and _is_row(receiver.value, scope)
    ):
        yield site.operation(Kind.ROWS, "INSERT", is_orm=True)


def assignment(node: Assignment, scope: Scope, loops: tuple[Loop, ...]) -> Iterator[Operation]:
    """`row.c = value` on what a session gave is an UPDATE that nobody wrote; so is `del row.c["key"]`."""
    for target in node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]:
        field = target.value if isinstance(target, ast.Subscript) else target
        if isinstance(field, ast.Attribute) and _is_row(field.value, scope):
            place = Place(scope.module.path, node.lineno)
            yield Operation(Kind.ROWS, "UPDATE", place, node, scope, column=field.attr, loops=loops, is_orm=True)


def _writes_row(name: str, receiver: ast.expr, scope: Scope) -> bool:
    """`row.save()`, and `row.others.append(other)`, which is an INSERT that nobody wrote."""
    if name in _GROWTH:
        return isinstance(receiver, ast.Attribute) and _is_row(receiver.value, scope)
    return name in _ROW_WRITES and not _is_import(receiver, scope)


def is_session(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is an ORM session, by its name or by how it was made."""
    words = (_last_word(each).lower() for each in (node, *(meaning.node for meaning in scope.meanings(node))))
    return any("session" in word or word in ("sess", "db_sess") for word in words)


def is_query(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is an ORM query: `session.query(…)`, `Model.query`."""
    if isinstance(node, ast.Attribute) and node.attr == "query":
        return True
    calls = [link.node for link in chain(node, scope) if isinstance(link.node, ast.Call)]
    return any(called(call) == "query" for call in calls) or (bool(calls) and ".query." in ast.unparse(calls[-1].func))


def _is_row(node: ast.expr, scope: Scope) -> bool:
    """Whether it is a row of the ORM, or one that a row leads to."""
    while isinstance(node, ast.Attribute):
        node = node.value
    bound = scope.bound.get(node.id, []) if isinstance(node, ast.Name) else []
    return any(_gives_rows(each.iterable if isinstance(each, Element) else each, scope) for each in bound)


def _gives_rows(node: ast.expr, scope: Scope) -> bool:
    """Whether it is a query of the ORM, or what one gave."""
    return any(
        is_query(meaning.node, meaning.scope) or any(map(_asks_session, chain(meaning.node, meaning.scope)))
        for meaning in scope.meanings(node)
    )


def _asks_session(link: Meaning) -> bool:
    call = link.node
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return False
    return called(call) in ("scalars", "execute", "get") and is_session(call.func.value, link.scope)


def _is_import(node: ast.expr, scope: Scope) -> bool:
    return isinstance(node, ast.Name) and node.id in scope.module.imports


def _last_word(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return called(node) or _last_word(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
