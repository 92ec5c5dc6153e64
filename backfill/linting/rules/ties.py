"""Pages in an order in which rows may stand level."""

from collections.abc import Iterator

from backfill.linting.history import History
from backfill.linting.paging import Page, pages_of
from backfill.linting.remedies import as_transform
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule

_UNIQUE = ("id", "uuid", "guid", "pk", "key", "rowid", "ctid")


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    for page in pages_of(revision):
        statement = page.read.statement
        if statement and statement.is_limited and statement.is_offset and not _is_total(page):
            order = ", ".join(filter(None, statement.order or ())) or "no column at all"
            yield Flaw(
                page.read.place,
                f"the pages are ordered by {order}, in which rows may stand level: a row can be on two pages, "
                "or on none",
                as_transform(page.writes[0]),
            )


def _is_total(page: Page) -> bool:
    """Whether a column of the order looks like a key; one that cannot be read may be one."""
    assert page.read.statement is not None, "a page is a statement's"
    order = page.read.statement.order or ()
    return any(not column or column.lower().endswith(_UNIQUE) for column in order)


RULE = Rule("ties", "Pages are ordered by something that is not unique.", _inspect)
