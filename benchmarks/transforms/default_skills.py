"""Fill bench_users.skills with a constant."""

from pydantic import BaseModel

import backfill
from backfill import Rows, is_missing

SKILLS = [{"name": "Unspecified", "level": "beginner"}]


class Skills(BaseModel):
    """Columns written."""

    skills: list[dict[str, str]]


@backfill.transform("bench_users", where=is_missing("skills"))
def default_skills(users: Rows) -> Skills:
    """Every user starts with one unspecified skill."""
    return Skills(skills=SKILLS)
