"""A COMMIT in the midst of a data step."""

from collections.abc import Iterator

from backfill.linting.history import History
from backfill.linting.operation import Kind
from backfill.linting.remedies import as_transform
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    for commit in revision.upgrade if revision.has_data_step else ():
        if commit.kind is Kind.COMMIT:
            yield Flaw(commit.place, _WHYS[commit.is_orm], as_transform(revision.writes[0]))


_WHYS = {
    True: "a session on the migration's connection joins its transaction: commit() makes nothing durable, and a later "
    "failure takes every batch back",
    False: "a COMMIT by hand ends the transaction in which Alembic would have stamped the revision: the rows stay, and "
    "the next upgrade changes them again",
}

RULE = Rule("commit", "The data step commits by hand.", _inspect)
