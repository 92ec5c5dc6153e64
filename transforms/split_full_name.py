"""Fill users.first_name and users.last_name."""

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


@backfill.transform("users", where=is_missing("first_name"))
def split_full_name(user: FullName) -> SplitName:
    """Everything after the first space is the last name; a single name has none."""
    first, _, last = user.full_name.strip().partition(" ")
    return SplitName(first_name=first, last_name=last.lstrip())
