"""Fill users.skills."""

from typing import Literal

from pydantic import BaseModel

import backfill
from backfill import Rows, is_missing


class Skill(BaseModel):
    """What somebody can do, and how well."""

    name: str
    level: Literal["beginner", "intermediate", "advanced"]


class Skills(BaseModel):
    """Columns written."""

    skills: list[Skill]


@backfill.transform("users", where=is_missing("skills"))
def default_skills(users: Rows) -> Skills:
    """Every user starts with one unspecified skill."""
    return Skills(skills=[Skill(name="Unspecified", level="beginner")])
