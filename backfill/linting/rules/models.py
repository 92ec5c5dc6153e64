"""The application's models in a revision."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.finding import Place
from backfill.linting.history import History
from backfill.linting.module import Import
from backfill.linting.remedies import as_transform
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule

_LIBRARIES = frozenset({"alembic", "sqlalchemy", "sqlmodel", "backfill", "geoalchemy2", "sqlalchemy_utils"})
_TAKES = frozenset({"query", "select", "insert", "update", "delete", "add"})


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    for name in sorted(_used(revision)) if revision.has_data_step else ():
        found = revision.module.imports.get(name)
        if found and _is_application(found):
            yield Flaw(
                Place(revision.path, found.line),
                f"{name} is the application's model of today: once it has a column that this revision's database has "
                "not, the revision fails on every new installation",
                as_transform(revision.writes[0]),
            )


def _is_application(found: Import) -> bool:
    return found.name is not None and found.name[:1].isupper() and found.module.partition(".")[0] not in _LIBRARIES


def _used(revision: Revision) -> set[str]:
    """Names that are queried, written, or asked for their table."""
    names: set[str] = set()
    for node in ast.walk(revision.module.tree):
        if isinstance(node, ast.Call) and _last(node.func) in _TAKES:
            names |= {root for argument in node.args for root in _roots(argument)}
        elif isinstance(node, ast.Attribute) and node.attr in ("query", "__table__"):
            names |= _roots(node.value)
    return names


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _roots(node: ast.expr) -> set[str]:
    """The name that an expression begins with; a member's value, as of an enum, is no model."""
    if isinstance(node, ast.Attribute) and node.attr in ("value", "name"):
        return set()
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.value if isinstance(node, ast.Attribute) else node.func
    return {node.id} if isinstance(node, ast.Name) else set()


RULE = Rule("models", "A revision with a data step imports the application's models, which drift.", _inspect)
