"""An order or a group without an index.

`where` is left out: a run walks by key and looks at each row once, so that an index on it would only make the writes
dearer. Where the revisions at hand do not make the table, nothing can be told, and nothing is said.
"""

from collections.abc import Iterator

from backfill.linting.declaration import Declaration, ordered
from backfill.linting.history import History
from backfill.linting.rule import Flaw, Rule
from backfill.linting.shape import transform_name


def _inspect(declaration: Declaration, history: History) -> Iterator[Flaw]:
    options = {name: declaration.option(name) for name in ("group_by", "order_by")}
    name, first = next(((name, ordered(node)[:1]) for name, node in options.items() if node is not None), ("", []))
    for table in declaration.tables:
        indexed = history.indexed(table)
        for column in first:
            if indexed is not None and column not in indexed:
                yield _flaw(declaration, name, table, column)


def _flaw(declaration: Declaration, option: str, table: str, column: str) -> Flaw:
    index = transform_name("ix", table, column)
    return Flaw(
        declaration.place,
        f"{declaration.name} walks {table} by {option}={column}, and no revision gives that column an index: each "
        "batch sorts the whole table",
        f'op.create_index("{index}", "{table}", ["{column}"])  # in the expand revision',
    )


RULE = Rule("unindexed", "A transform walks a table in an order that no index has.", _inspect)
