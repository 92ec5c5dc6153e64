"""A downgrade that leaves the ledger as it is."""

from collections.abc import Iterator

from backfill.linting.finding import Place
from backfill.linting.history import History
from backfill.linting.operation import Kind
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw, Rule


def _inspect(revision: Revision, history: History) -> Iterator[Flaw]:
    forgotten = {each.name for each in revision.downgrade if each.kind is Kind.RESET}
    down = revision.module.functions.get("downgrade")
    for fill in revision.fills:
        if fill.name not in forgotten and not _raises(down):
            yield Flaw(
                fill.place if down is None else Place(revision.path, down.lineno),
                f"the downgrade does not forget {fill.name}: the ledger goes on saying that it is complete, and after "
                "the next upgrade its rows may stay empty",
                f'def downgrade() -> None:\n    reset_backfill("{fill.name}")',
            )


def _raises(function: object) -> bool:
    body = getattr(function, "body", [])
    return bool(body) and type(body[-1]).__name__ == "Raise"


RULE = Rule("forgets", "A downgrade does not reset the transform that the upgrade runs.", _inspect)
