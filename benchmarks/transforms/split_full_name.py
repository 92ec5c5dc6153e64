"""Fill bench_users.first_name and bench_users.last_name."""

from pydantic import BaseModel

import backfill
from backfill import is_missing


class FullName(BaseModel):
    """Columns read."""

    full_name: str


class SplitName(BaseModel):
    """Columns written."""

    first_name: str
    last_name: str


@backfill.transform("bench_users", where=is_missing("first_name"))
def split_full_name(user: FullName) -> SplitName:
    """Everything after the first space is the last name."""
    first, _, last = user.full_name.partition(" ")
    return SplitName(first_name=first, last_name=last)
