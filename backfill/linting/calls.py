"""Calls: what one call in a revision does: to the schema, to rows, or to the transaction."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace

from backfill.linting.expressions import built, called, chain, literal, named_table
from backfill.linting.finding import Place
from backfill.linting.operation import Kind, Loop, Operation
from backfill.linting.parsing import parse
from backfill.linting.scope import Meaning, Scope
from backfill.linting.statement import Statement
from backfill.linting.texts import texts_of

SCHEMA_CALLS = frozenset(
    """add_column alter_column create_check_constraint create_exclude_constraint create_foreign_key create_index
    create_primary_key create_table create_table_comment create_unique_constraint drop_column drop_constraint drop_index
    drop_table drop_table_comment rename_table""".split()
)
_SCHEMA_PREFIXES = ("create_", "drop_", "alter_", "add_", "rename_", "replace_", "sync_")
EXECUTES = frozenset(
    {
        "execute",
        "exec_driver_sql",
        "executemany",
        "scalar",
        "scalars",
        "copy_expert",
        "executescript",
        "stream",
        "fetch",
    }
)
_EXECUTES_SECOND = frozenset({"execute_values", "execute_batch"})
_SESSION_WRITES = {
    "add": "INSERT", "add_all": "INSERT", "merge": "INSERT", "delete": "DELETE", "bulk_save_objects": "INSERT",
    "bulk_insert_mappings": "INSERT", "bulk_update_mappings": "UPDATE",
}  # fmt: skip
_QUERY_WRITES = {"update": "UPDATE", "delete": "DELETE"}
_OURS = {
    "run_backfill": Kind.FILL,
    "require_backfill": Kind.GATE,
    "reset_backfill": Kind.RESET,
    "undo_backfill": Kind.RESET,
}


@dataclass(frozen=True)
class Site:
    """A call and where it stands."""

    call: ast.Call
    scope: Scope
    loops: tuple[Loop, ...]

    @property
    def name(self) -> str:
        """The last word of what is called."""
        return called(self.call)

    @property
    def dotted(self) -> str:
        """The whole of what is called, imports followed."""
        return self.scope.module.dotted(self.call.func) or ""

    @property
    def receiver(self) -> ast.expr | None:
        """What the method is called on."""
        return self.call.func.value if isinstance(self.call.func, ast.Attribute) else None

    def operation(self, kind: Kind, verb: str, **facts: object) -> Operation:
        """The operation that the call is."""
        place = Place(self.scope.module.path, self.call.lineno)
        blank = Operation(kind, verb, place, self.call, self.scope, loops=self.loops)
        return replace(blank, **facts)  # type: ignore[arg-type]


def operations_of(site: Site) -> Iterator[Operation]:
    """What the call does by itself; what it leads to is for the trace."""
    if site.name in _OURS:
        yield site.operation(_OURS[site.name], site.name, name=_text(site, 0))
    elif _is_schema(site):
        yield site.operation(Kind.SCHEMA, site.name, table=_table(site), column=_column(site))
    elif site.name == "bulk_insert" and (site.dotted.startswith("alembic.") or site.call.args):
        table = named_table(site.call.args[0], site.scope) if site.call.args else None
        yield site.operation(Kind.ROWS, "INSERT", table=table, is_built=True)
    elif site.name in EXECUTES and site.call.args:
        yield from _executed(site, site.call.args[0])
    elif site.name in _EXECUTES_SECOND and len(site.call.args) > 1:
        yield from _executed(site, site.call.args[1])
    elif site.name == "execute" and not site.call.args and site.receiver is not None:
        yield from _executed(site, site.receiver, *(each.value for each in site.call.keywords))
    else:
        yield from _by_object(site)


def _by_object(site: Site) -> Iterator[Operation]:
    """What sessions, queries and frozen models do."""
    if site.name in ("commit", "flush") and site.receiver is not None:
        if site.name == "commit":
            yield site.operation(Kind.COMMIT, "commit", is_orm=is_session(site.receiver, site.scope))
    elif site.name in _SESSION_WRITES and site.receiver is not None and is_session(site.receiver, site.scope):
        table = named_table(site.call.args[0], site.scope) if site.call.args else None
        yield site.operation(Kind.ROWS, _SESSION_WRITES[site.name], table=table, is_orm=True)
    elif site.name in _QUERY_WRITES and site.receiver is not None and is_query(site.receiver, site.scope):
        statement = next(built(site.call, site.scope), None)
        table = named_table(site.call, site.scope)
        yield site.operation(Kind.ROWS, _QUERY_WRITES[site.name], table=table, is_orm=True, statement=statement)
    elif site.name in ("all", "first", "one", "count", "get", "one_or_none") and site.receiver is not None:
        for statement in built(site.receiver, site.scope):
            yield site.operation(Kind.READ, site.name, statement=statement, table=statement.table, is_orm=True)
    elif site.name in ("save", "to_sql", "delete_instance") and site.receiver is not None and not _is_import(site):
        yield site.operation(Kind.ROWS, "INSERT", is_orm=True)
    elif site.name in ("create", "drop", "create_all", "drop_all") and _creates(site):
        yield site.operation(Kind.SCHEMA, site.name, table=named_table(site.receiver or site.call, site.scope))


def executed(node: ast.expr, scope: Scope) -> list[tuple[Statement, bool]]:
    """The statements that an executed expression may be, and whether each was built instead of written."""
    found = [(statement, True) for statement in built(node, scope)]
    return found or [(statement, False) for text in texts_of(node, scope) for statement in parse(text)]


def _executed(site: Site, *nodes: ast.expr) -> Iterator[Operation]:
    for node in nodes:
        for statement, is_built in executed(node, site.scope):
            yield from _operation(site, statement, is_built=is_built)


def _operation(site: Site, statement: Statement, *, is_built: bool = False) -> Iterator[Operation]:
    kind = _kind(statement)
    if kind is not None:
        column = next(iter(statement.assigned), None)
        yield site.operation(
            kind, statement.verb, statement=statement, table=statement.table, column=column, is_built=is_built
        )


def _kind(statement: Statement) -> Kind | None:
    if statement.writes_rows:
        return Kind.ROWS
    if statement.changes_schema or statement.is_temporary:
        return Kind.SCHEMA
    return {"SELECT": Kind.READ, "COMMIT": Kind.COMMIT}.get(statement.verb)


def _is_schema(site: Site) -> bool:
    if site.name in SCHEMA_CALLS:
        return site.receiver is not None or site.dotted.startswith("alembic.")
    is_op = site.dotted.startswith("alembic.op.")
    return is_op and site.name.startswith(_SCHEMA_PREFIXES)


def _creates(site: Site) -> bool:
    """`table.create(bind)`, not a model's `create(name="x")`."""
    if site.name.endswith("_all"):
        return True
    words = [ast.unparse(each) for each in (*site.call.args, *(each.value for each in site.call.keywords))]
    names = {each.arg for each in site.call.keywords}
    return bool(names & {"checkfirst", "bind"}) or any(
        w.rpartition(".")[2].strip("()") in ("bind", "get_bind", "conn", "connection", "engine") for w in words
    )


def _is_import(site: Site) -> bool:
    return isinstance(site.receiver, ast.Name) and site.receiver.id in site.scope.module.imports


def is_session(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is an ORM session, by its name or by how it was made."""
    for meaning in scope.meanings(node):
        name = _last_word(meaning.node).lower()
        if "session" in name or name in ("sess", "db_sess"):
            return True
    return "session" in _last_word(node).lower()


def is_query(node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is an ORM query: `session.query(…)`, `Model.query`."""
    if isinstance(node, ast.Attribute) and node.attr == "query":
        return True
    links = list(chain(node, scope))
    if any(called(link.node) == "query" for link in links if isinstance(link.node, ast.Call)):
        return True
    last = links[-1].node if links else node
    return isinstance(last, ast.Call) and ".query." in ast.unparse(last.func)


def _last_word(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return called(node) or _last_word(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _table(site: Site) -> str | None:
    """The table of a schema operation; of `batch.add_column` the one that the batch is for."""
    for meaning in site.scope.meanings(site.receiver) if site.receiver is not None else ():
        if isinstance(meaning.node, ast.Call) and called(meaning.node) == "batch_alter_table":
            return _string(meaning.node, 0, meaning.scope)
    position = (
        1
        if site.name
        in (
            "create_index",
            "drop_index",
            "create_unique_constraint",
            "drop_constraint",
            "create_check_constraint",
            "create_foreign_key",
            "create_primary_key",
        )
        else 0
    )
    named = next((each.value for each in site.call.keywords if each.arg == "table_name"), None)
    return _text(site, position) if named is None else texts_of(named, site.scope)[0]


def _column(site: Site) -> str | None:
    if site.name == "add_column":
        for argument in site.call.args:
            if isinstance(argument, ast.Call) and called(argument) == "Column":
                return _string(argument, 0, site.scope)
    is_batch = _is_batch(site)
    return _text(site, 0 if is_batch else 1) if site.name in ("alter_column", "drop_column") else None


def _is_batch(site: Site) -> bool:
    meanings = site.scope.meanings(site.receiver) if site.receiver is not None else ()
    return any(isinstance(each.node, ast.Call) and called(each.node) == "batch_alter_table" for each in meanings)


def _text(site: Site, position: int) -> str | None:
    return _string(site.call, position, site.scope)


def _string(call: ast.Call, position: int, scope: Scope) -> str | None:
    if position >= len(call.args):
        return None
    for meaning in scope.meanings(call.args[position]):
        value, is_literal = literal(Meaning(meaning.node, meaning.scope))
        if is_literal and isinstance(value, str):
            return value
    return None
