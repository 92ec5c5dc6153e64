"""Tags of runs that are not there any more."""

from sqlalchemy import column, select, table

import backfill
from backfill import Delete, Rows

run = table("runs", column("run_id"))
tag = table("run_tags", column("run_id"))


@backfill.transform(
    "run_tags",
    where=column("run_id").is_not(None) & ~select(run.c.run_id).where(run.c.run_id == tag.c.run_id).exists(),
)
def drop_orphan_tags(tags: Rows) -> Delete:
    """They are deleted; a tag that never named a run stays."""
    return Delete()


STEPS = (drop_orphan_tags,)
