"""Tests of the transform that gives every user a first skill."""

from sqlalchemy import table

from transforms.default_skills import Skill, Skills, default_skills


def test_everybody_starts_with_one_unspecified_skill() -> None:
    """The value is the same for all users, whatever their rows hold."""
    assert default_skills(table("users")) == Skills(skills=[Skill(name="Unspecified", level="beginner")])
