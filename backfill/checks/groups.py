"""No group is too large, since those before it would have been worked on when it is met."""

from collections.abc import Iterator

from backfill.finding import Finding
from backfill.rows.target import Target


def check_groups(target: Target) -> Iterator[Finding]:
    """Let the database count each group, in one scan."""
    size = target.oversized_group() if target.walk.is_grouped and target.bound.fetches is not None else None
    if size is not None:
        yield Finding("group-too-large", target.told_of_group(size))
