"""Fill bench_users.skills from bench_users.bio."""

from typing import Literal, cast

from pydantic import BaseModel

import backfill
from backfill import is_missing

Level = Literal["beginner", "intermediate", "advanced"]


class Bio(BaseModel):
    """Columns read."""

    bio: str


class Skill(BaseModel):
    """What somebody can do, and how well."""

    name: str
    level: Level


class Skills(BaseModel):
    """Columns written."""

    skills: list[Skill]


def skill_of(words: str) -> Skill:
    """The last word is the level."""
    name, _, level = words.rpartition(" ")
    return Skill(name=name, level=cast("Level", level))


@backfill.transform("bench_users", where=is_missing("skills"))
def skills_of_bio(user: Bio) -> Skills:
    """Each part of a bio is a skill."""
    return Skills(skills=[skill_of(words) for words in user.bio.split(", ")])
