"""Rules: one mistake a file, in the order in which they are told."""

from backfill.linting.declaration import Declaration
from backfill.linting.revision import Revision
from backfill.linting.rule import Rule
from backfill.linting.rules import (
    commit,
    forgets,
    load_all,
    mixed,
    models,
    offset,
    refilters,
    stops_early,
    ties,
    unbatched,
    ungated,
    unindexed,
)

REVISION_RULES: tuple[Rule[Revision], ...] = (
    mixed.RULE,
    unbatched.RULE,
    offset.RULE,
    ties.RULE,
    stops_early.RULE,
    load_all.RULE,
    commit.RULE,
    models.RULE,
    ungated.RULE,
    forgets.RULE,
)
DECLARATION_RULES: tuple[Rule[Declaration], ...] = (refilters.RULE, unindexed.RULE)
