"""History: what the revisions at hand say together: which follows which, and which columns have an index."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from backfill.linting.columns import called
from backfill.linting.operation import Kind, Operation
from backfill.linting.revision import Revision
from backfill.linting.texts import texts_of

_KEYED = frozenset({"PrimaryKeyConstraint", "UniqueConstraint", "Index"})
_INDEXED = frozenset({"create_index", "create_unique_constraint", "create_primary_key"})


class History:
    """The revisions that are looked at together."""

    def __init__(self, revisions: Sequence[Revision]) -> None:
        self.revisions = revisions
        self._by_id = {each.id: each for each in revisions}

    def parents(self, revision: Revision) -> list[Revision]:
        """The revisions right before this one, as far as they are at hand."""
        return [self._by_id[each] for each in revision.parents if each in self._by_id]

    def indexed(self, table: str) -> set[str] | None:
        """The columns that some index of a table begins with; None if the revisions do not make the table."""
        operations = [each for one in self.revisions for each in one.schema if each.table == table]
        if not any(each.verb == "create_table" for each in operations):
            return None
        return {column for each in operations for column in _leading(each)}

    def fills(self, revision: Revision, table: str) -> bool:
        """Whether this revision, or one right before it, changes rows of a table or runs a transform."""
        near = [revision, *self.parents(revision)]
        return any(each.table == table for one in near for each in one.writes) or any(one.fills for one in near)


def _leading(operation: Operation) -> Iterator[str]:
    if operation.kind is not Kind.SCHEMA or not isinstance(operation.call, ast.Call):
        return
    call = operation.call
    if operation.verb in _INDEXED and len(call.args) > 2 and isinstance(call.args[2], ast.List):
        yield from (texts_of(each, operation.scope)[0] for each in call.args[2].elts[:1])
    for node in (each for argument in call.args for each in ast.walk(argument) if isinstance(each, ast.Call)):
        if called(node) in _KEYED:
            skipped = 1 if called(node) == "Index" else 0
            yield from (texts_of(each, operation.scope)[0] for each in node.args[skipped : skipped + 1])
        elif called(node) == "Column" and _is_keyed(node) and node.args:
            yield texts_of(node.args[0], operation.scope)[0]


def _is_keyed(column: ast.Call) -> bool:
    return any(
        each.arg in ("primary_key", "unique", "index")
        and isinstance(each.value, ast.Constant)
        and each.value.value is True
        for each in column.keywords
    )
