"""OFFSET over rows that the loop itself takes out of what it counts."""

import ast
from collections.abc import Iterator

from backfill.linting.history import History
from backfill.linting.paging import Page, pages_of
from backfill.linting.remedies import as_transform
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    for page in pages_of(revision):
        if page.read.statement is None or not page.read.statement.is_offset:
            continue
        if _leaps(page):
            yield Flaw(
                page.read.place,
                "the OFFSET moves on at every row instead of at every page, so that nearly all pages are skipped",
                as_transform(page.writes[0]),
            )
        elif _shrinks(page):
            yield Flaw(
                page.read.place,
                f"rows that the loop has written leave the set of {page.read.table or 'rows'} that OFFSET counts, so "
                "that each page skips as many rows as the one before it wrote",
                as_transform(page.writes[0]),
            )


def _leaps(page: Page) -> bool:
    """Whether something named after it grows in a loop over the rows of a page."""
    inner = (node for part in page.loop.body for node in ast.walk(part) if isinstance(node, ast.For))
    grown = (node.target for loop in inner for node in ast.walk(loop) if isinstance(node, ast.AugAssign))
    return any(isinstance(target, ast.Name) and "offset" in target.id.lower() for target in grown)


def _shrinks(page: Page) -> bool:
    """Whether a write takes rows out of what is read; where the columns cannot be seen, a condition is enough."""
    assert page.read.statement is not None, "a page is a statement's"
    where = page.read.statement.where
    if any(write.verb == "DELETE" for write in page.writes):
        return True
    written = {column for write in page.writes for column in _columns(page, write.column)}
    return where is not None and (not written or not where.columns or bool(written & where.columns))


def _columns(page: Page, column: str | None) -> list[str]:
    assigned = [name for write in page.writes if write.statement for name in write.statement.assigned]
    return [*assigned, *([column] if column else [])]


RULE = Rule("offset", "Pages by OFFSET skip rows, since the loop makes the set smaller that it counts.", _inspect)
