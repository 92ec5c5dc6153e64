"""An UPDATE or DELETE of as many rows as there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.history import History
from backfill.linting.operation import Operation
from backfill.linting.remedies import as_transform
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule

_VERBS = frozenset({"UPDATE", "DELETE"})


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    for write in revision.writes:
        if write.verb in _VERBS and not _is_bounded(write):
            yield Flaw(
                write.place,
                f"one {write.verb} changes all of its rows of {write.table or 'the table'} in a single transaction: "
                "its locks are held until the last of them, and a kill loses all of the work",
                as_transform(write),
            )


def _is_bounded(write: Operation) -> bool:
    """By a LIMIT, by a key, by a loop over key ranges, or because a loop takes row by row."""
    statement = write.statement
    if statement is None or (write.is_orm and write.verb == "UPDATE" and not isinstance(write.call, ast.Call)):
        return True
    is_ranged = bool(statement.where and statement.where.is_ranged and write.loops)
    is_of_one_row = bool(statement.where and any(isinstance(loop, ast.For) for loop in write.loops))
    return statement.is_limited or statement.is_pinned or is_ranged or is_of_one_row


RULE = Rule("unbatched", "One statement changes all rows of a table in one transaction.", _inspect)
