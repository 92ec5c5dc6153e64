"""A transform that may take a row again that it has written."""

from collections.abc import Iterator

from backfill.linting.declaration import Declaration
from backfill.linting.history import History
from backfill.linting.rule import Flaw, Rule


def _inspect(declaration: Declaration, history: History) -> Iterator[Flaw]:
    both = declaration.compared & declaration.read & declaration.written
    for column in sorted(both):
        yield Flaw(
            declaration.place,
            f"{declaration.name} computes {column} from itself and compares it in `where`: a row that still fits after "
            "it was written is changed again by the next run",
            f'@backfill.transform({", ".join(map(_quoted, declaration.tables))}, where=is_missing("{column}_done"))\n'
            f"# write a column of its own, {column}_done, together with {column}: a row that has it is settled",
        )


def _quoted(name: str) -> str:
    return f'"{name}"'


RULE = Rule("refilters", "A transform computes a column from itself and filters by it.", _inspect)
