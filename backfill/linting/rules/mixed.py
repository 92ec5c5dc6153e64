"""A revision that changes schema and rows."""

from collections.abc import Iterator

from backfill.linting.history import History
from backfill.linting.remedies import three_revisions
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    data = [*revision.writes, *revision.fills]
    if data and revision.schema:
        yield Flaw(
            data[0].place,
            "this revision changes schema and rows: it holds the schema's locks until the last row is written, and "
            "killed half-way it cannot be repeated on SQLite and MySQL",
            three_revisions(revision),
        )


RULE = Rule("mixed", "A data step stands in the same revision as a change of the schema.", _inspect)
