"""Tags of dashboards: from their names into a list."""

import re

from pydantic import BaseModel
from sqlalchemy import column

import backfill


class Dashboard(BaseModel):
    """Read."""

    name: str


class Tagged(BaseModel):
    """Written."""

    tags: list[str]


@backfill.transform("dashboards", where=column("name").is_not(None))
def inline_tags(dashboard: Dashboard) -> Tagged | None:
    """Words before a first colon, and words that begin with #."""
    tags = re.findall(r"^[\w\s]+(?=:)|(?<=#)[\w-]+", dashboard.name)
    return Tagged(tags=tags) if tags else None


STEPS = (inline_tags,)
