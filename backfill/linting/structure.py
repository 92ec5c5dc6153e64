"""Structure: calls that change the schema."""

from __future__ import annotations

import ast

from backfill.linting.columns import called
from backfill.linting.expressions import named_table
from backfill.linting.operation import Kind, Operation
from backfill.linting.site import Site, string_at
from backfill.linting.texts import texts_of

_TABLE_FIRST = frozenset(
    {"add_column", "alter_column", "create_table", "create_table_comment", "drop_column", "drop_table"}
    | {"drop_table_comment", "rename_table"}
)
_NAME_FIRST = frozenset(
    {"create_check_constraint", "create_exclude_constraint", "create_foreign_key", "create_index", "create_primary_key"}
    | {"create_unique_constraint", "drop_constraint", "drop_index"}
)
_PREFIXES = ("create_", "drop_", "alter_", "add_", "rename_", "replace_", "sync_")
"""Of operations that others register with Alembic, such as create_view."""

_CONNECTIONS = frozenset({"bind", "get_bind", "conn", "connection", "engine"})


def schema_operation(site: Site) -> Operation | None:
    """The change of the schema that a call is; None if it is something else."""
    if _is_alembics(site):
        return site.operation(Kind.SCHEMA, site.name, table=_table(site), column=_column(site))
    if site.name in ("create_all", "drop_all") or (site.name in ("create", "drop") and _is_given_connection(site.call)):
        return site.operation(Kind.SCHEMA, site.name, table=named_table(site.receiver or site.call, site.scope))
    return None


def _is_alembics(site: Site) -> bool:
    if site.name in _TABLE_FIRST | _NAME_FIRST:
        return site.receiver is not None or site.dotted.startswith("alembic.")
    return site.dotted.startswith("alembic.op.") and site.name.startswith(_PREFIXES)


def _is_given_connection(call: ast.Call) -> bool:
    """`table.create(bind)`, not a model's `create(name="x")`."""
    if {each.arg for each in call.keywords} & {"checkfirst", "bind"}:
        return True
    words = (ast.unparse(each).rpartition(".")[2].strip("()") for each in call.args)
    return any(word in _CONNECTIONS for word in words)


def _table(site: Site) -> str | None:
    """The table of an operation; of `batch.add_column` the one that the batch is for."""
    batch = _batch(site)
    if batch is not None:
        return batch
    named = next((each.value for each in site.call.keywords if each.arg == "table_name"), None)
    return site.string(int(site.name in _NAME_FIRST)) if named is None else texts_of(named, site.scope)[0]


def _column(site: Site) -> str | None:
    if site.name == "add_column":
        columns = (each for each in site.call.args if isinstance(each, ast.Call) and called(each) == "Column")
        return next((string_at(each, 0, site.scope) for each in columns), None)
    if site.name in ("alter_column", "drop_column"):
        return site.string(0 if _batch(site) is not None else 1)
    return None


def _batch(site: Site) -> str | None:
    """The table of the `batch_alter_table` that the call is made on."""
    for meaning in site.scope.meanings(site.receiver) if site.receiver is not None else ():
        if isinstance(meaning.node, ast.Call) and called(meaning.node) == "batch_alter_table":
            return string_at(meaning.node, 0, meaning.scope) or ""
    return None
