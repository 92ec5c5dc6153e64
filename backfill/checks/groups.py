"""No group is too large, since those before it would have been worked on when it is met."""

from collections.abc import Iterator

from backfill.finding import Finding
from backfill.ledger import Ledger
from backfill.rows.target import Target
from backfill.status import ACTIVE


def check_groups(target: Target) -> Iterator[Finding]:
    """Let the database count each group, in one scan; not again for a run that goes on, which should start at once."""
    if not target.walk.is_grouped or target.bound.fetches is None or _has_begun(target):
        return
    too_large = target.oversized_group()
    if too_large is not None:
        yield Finding("group-too-large", str(too_large))


def _has_begun(target: Target) -> bool:
    latest = Ledger(target.database).latest(target.transform.name)
    return latest is not None and latest.status in ACTIVE and latest.rows_read > 0
