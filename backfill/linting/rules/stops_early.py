"""A loop that takes a short page for the last one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from backfill.linting.finding import Place
from backfill.linting.history import History
from backfill.linting.operation import Loop
from backfill.linting.remedies import as_transform
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule

_SHORTER = ast.Lt | ast.LtE | ast.NotEq | ast.Gt | ast.GtE


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    seen: set[Loop] = set()
    for write in revision.writes:
        for loop in write.loops:
            guess = _guess(loop) if loop not in seen and isinstance(loop, ast.While) else None
            seen.add(loop)
            if guess is not None:
                yield Flaw(
                    Place(write.place.path, guess.lineno),
                    f"the loop ends by `{ast.unparse(guess)}`: a page that is short, or whose count is something else "
                    "than it looks, ends it while rows are left",
                    as_transform(write),
                )


def _guess(loop: ast.While) -> ast.Compare | None:
    """The comparison that ends the loop, where it compares a count with the size of a page."""
    ends = [loop.test, *(node.test for node in ast.walk(loop) if isinstance(node, ast.If) and _breaks(node))]
    compared = (node for end in ends for node in ast.walk(end) if isinstance(node, ast.Compare))
    return next((node for node in compared if _is_guess(node)), None)


def _breaks(node: ast.If) -> bool:
    return any(
        isinstance(each, ast.Break | ast.Return) for part in (*node.body, *node.orelse) for each in ast.walk(part)
    )


def _is_guess(node: ast.Compare) -> bool:
    """`rows < size` is one; `rows == 0` and `rows > 0` are not."""
    sides = [node.left, *node.comparators]
    is_counted = any(_counts(side) for side in sides)
    is_empty = any(isinstance(side, ast.Constant) and side.value in (0, 1) for side in sides)
    return is_counted and not is_empty and isinstance(node.ops[0], _SHORTER)


def _counts(node: ast.expr) -> bool:
    is_rowcount = isinstance(node, ast.Attribute) and node.attr == "rowcount"
    return is_rowcount or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len")


RULE = Rule("stops-early", "A loop takes a short page, or a row count, for the end of the rows.", _inspect)
