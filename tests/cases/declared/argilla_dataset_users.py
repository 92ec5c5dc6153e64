"""Users of a dataset: everybody who has answered one of its records."""

from sqlalchemy import column, func, select, table

import backfill
from backfill import Insert, Rows

records = table("records", column("id"), column("dataset_id"))


@backfill.transform("responses")
def dataset_users(responses: Rows) -> Insert:
    """A pair that many responses make is inserted once, whatever batches they are in."""
    now = func.current_timestamp()
    pairs = (
        select(records.c.dataset_id, responses.c.user_id, now.label("inserted_at"), now.label("updated_at"))
        .join_from(responses, records, records.c.id == responses.c.record_id)
        .distinct()
    )
    return Insert("datasets_users", pairs, match=("dataset_id", "user_id"))


STEPS = (dataset_users,)
