"""Tags of objects: each only once."""

from pydantic import BaseModel

import backfill
from backfill import Delete


class Tagged(BaseModel):
    """Read."""

    id: int


@backfill.transform("tagged_object", group_by=("tag_id", "object_id", "object_type"))
def drop_duplicate_tags(doubles: list[Tagged]) -> list[Delete | None]:
    """The first stays."""
    return [None, *(Delete() for _ in doubles[1:])]


STEPS = (drop_duplicate_tags,)
