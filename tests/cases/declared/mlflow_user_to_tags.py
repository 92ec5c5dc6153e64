"""Users of runs: kept as a tag."""

from sqlalchemy import column

import backfill
from backfill import Insert, Rows


@backfill.transform("runs", where=column("user_id") != "")
def user_tags(runs: Rows) -> Insert:
    """A run that has such a tag keeps it."""
    tag = {"run_uuid": runs.c.run_uuid, "key": "mlflow.user", "value": runs.c.user_id}
    return Insert("tags", tag, match=("run_uuid", "key"))


STEPS = (user_tags,)
