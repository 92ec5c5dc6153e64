"""A contract that does not wait for proof."""

from collections.abc import Iterator

from backfill.linting.history import History
from backfill.linting.operation import Kind, Operation
from backfill.linting.remedies import known
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule
from backfill.linting.shape import transform_name


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    is_open = True
    for operation in revision.upgrade:
        if operation.kind is Kind.GATE:
            is_open = False
        elif is_open and _contracts(operation, revision, history):
            yield _flaw(operation)


def _contracts(operation: Operation, revision: Revision, history: History) -> bool:
    """NOT NULL on a column that was there; a column that goes right after rows were filled."""
    if operation.is_not_null:
        return True
    return operation.verb == "drop_column" and history.fills(revision, operation.table or "")


def _flaw(operation: Operation) -> Flaw:
    column = f"{known(operation.table, 'TABLE')}.{known(operation.column, 'COLUMN')}"
    what = "becomes NOT NULL" if operation.is_not_null else "is dropped"
    name = transform_name("fill", operation.table, operation.column if operation.is_not_null else None)
    return Flaw(
        operation.place,
        f"{column} {what} without proof that no row waits any more: on a database where the fill is not finished this "
        "fails half-way, or loses what was not yet copied",
        f'def upgrade() -> None:\n    require_backfill("{name}")  # its first line: what fills these rows',
    )


RULE = Rule("ungated", "A contract (NOT NULL, or a dropped column) does not wait for the rows.", _inspect)
