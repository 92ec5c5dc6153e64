"""Collections of artifacts: what their latest artifact says."""

from typing import Any

from sqlalchemy import column, select, table

import backfill
from backfill import Rows

COPIED = ("data", "description", "flow_run_id", "task_run_id", "type", "metadata_")
artifact = table("artifact", column("id"), *map(column, COPIED))


@backfill.transform("artifact_collection", where=column("latest_id").is_not(None))
def latest_artifacts(collections: Rows) -> dict[str, Any]:
    """Six columns are copied."""
    is_latest = artifact.c.id == collections.c.latest_id
    return {name: select(artifact.c[name]).where(is_latest).scalar_subquery() for name in COPIED}


STEPS = (latest_artifacts,)
