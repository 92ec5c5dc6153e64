"""The laws hold of every transform of the worked example, on tables made for it and on those of its migrations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pytest_alembic.config import Config
from pytest_alembic.runner import MigrationContext, runner

from backfill.testing import laws, rehearse
from transforms.default_skills import default_skills
from transforms.split_full_name import split_full_name

REPOSITORY = Path(__file__).parents[2]
NAMES = ("Ada King", "Cher", "Bob Ross")
USERS: list[dict[str, Any]] = [{"email": f"{name}@example.com", "full_name": name} for name in NAMES]


@pytest.fixture
def backfill_engine() -> None:
    """Give no database: the tables are made from the models."""


test_laws = laws("transforms")


@pytest.fixture
def migrations(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[MigrationContext]:
    """Give pytest-alembic's runner, once on each database."""
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr("migrations.models.DATABASE_URL", engine.url.render_as_string(hide_password=False))
    with runner(Config(config_options={"script_location": "migrations"}), engine) as context:
        yield context


def test_skills_in_the_revision_before_their_fill(engine: sa.Engine, migrations: MigrationContext) -> None:
    """The table wants more columns than the transform knows."""
    migrations.migrate_up_to("0003")
    skills = [{"name": "Unspecified", "level": "beginner"}]
    assert [user["skills"] for user in rehearse(default_skills, USERS, engine=engine)] == [skills] * 3


def test_names_in_the_revision_before_their_fill(engine: sa.Engine, migrations: MigrationContext) -> None:
    """The fill before them has been done, on no rows."""
    migrations.migrate_up_to("0006")
    end = rehearse(split_full_name, [{**user, "skills": []} for user in USERS], engine=engine)
    assert [user["last_name"] for user in end] == ["King", "", "Ross"]
    migrations.migrate_up_to("heads")
