"""Rewrite bench_users.bio."""

from pydantic import BaseModel

import backfill

MARK = "|done"


class Bio(BaseModel):
    """Columns read, and written."""

    bio: str


@backfill.transform("bench_users")
def mark_bio(user: Bio) -> Bio:
    """What stands in a bio is kept, and marked."""
    return Bio(bio=user.bio + MARK)
