"""The worked example: the repository's own migrations/ and transforms/, through every door, on each database."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pytest_alembic import tests as default_tests
from pytest_alembic.config import Config
from pytest_alembic.runner import MigrationContext, runner

REPOSITORY = Path(__file__).parents[1]
NAMES = ["Ada Lovelace", "Ludwig van Beethoven", "Cher"]
SKILLS = [{"name": "Unspecified", "level": "beginner"}]

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(sqlite_url: sa.URL) -> Command:
    """Give a way to call a Python module in the repository, as the README says."""

    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"DATABASE_URL": str(sqlite_url)}
        called = subprocess.run(
            [sys.executable, "-m", *words], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
        )
        assert called.returncode == 0, called.stdout + called.stderr
        return called

    return call


@pytest.fixture
def migrations(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[MigrationContext]:
    """Give pytest-alembic's runner on the example, on each database."""
    monkeypatch.chdir(REPOSITORY)
    url = engine.url.render_as_string(hide_password=False)
    monkeypatch.setattr("migrations.models.DATABASE_URL", url)
    with runner(Config(config_options={"script_location": "migrations"}), engine) as context:
        yield context


@pytest.mark.parametrize(
    "check",
    [
        default_tests.test_single_head_revision,
        default_tests.test_upgrade,
        default_tests.test_up_down_consistency,
        default_tests.test_model_definitions_match_ddl,
    ],
)
def test_defaults_of_pytest_alembic(migrations: MigrationContext, check: Callable[[MigrationContext], None]) -> None:
    """One head, upgradable, revertible step by step, and in accord with the models."""
    check(migrations)


def test_every_user_is_filled(engine: sa.Engine, migrations: MigrationContext) -> None:
    """Users from before the columns were there have all of them at head."""
    add_users(engine, migrations)
    migrations.migrate_up_to("heads")
    rows = users(engine)
    assert [(row.first_name, row.last_name) for row in rows] == [
        ("Ada", "Lovelace"),
        ("Ludwig", "van Beethoven"),
        ("Cher", ""),
    ]
    assert [row.skills for row in rows] == [SKILLS] * len(NAMES)


def test_downgrade_keeps_what_it_need_not_lose(engine: sa.Engine, migrations: MigrationContext) -> None:
    """Down to before the fills and up again, what people entered themselves is as it was."""
    add_users(engine, migrations)
    migrations.migrate_up_to("heads")
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE users SET profile_picture = 'ada.png', skills = :skills, last_name = 'King' WHERE id = 1"),
            {"skills": '[{"name": "Analysis", "level": "advanced"}]'},
        )
    before = users(engine)
    migrations.migrate_down_to("0006")
    assert users(engine) == before
    migrations.migrate_down_to("0003")
    assert [row.profile_picture for row in users(engine)] == ["ada.png", None, None]
    migrations.migrate_up_to("heads")
    after = users(engine)
    assert [row.skills for row in after] == [row.skills for row in before]
    assert [row.created_at for row in after] == [row.created_at for row in before]
    assert [row.last_name for row in after] == ["Lovelace", "van Beethoven", ""]
    migrations.migrate_down_to("base")


def test_commands_of_the_readme(command: Command) -> None:
    """`alembic`, `flask db`, `backfill` and `flask backfill` reach the same database without an alembic.ini."""
    flask = ("flask", "--app", "migrations.app")
    command("alembic", "upgrade", "0004")
    command(*flask, "db", "upgrade")
    assert "No new upgrade operations detected." in command("alembic", "check").stdout
    assert "No new upgrade operations detected." in command(*flask, "db", "check").stdout
    for status in (command("backfill", "status"), command(*flask, "backfill", "status")):
        assert [line.split()[:2] for line in status.stdout.splitlines()[1:]] == [
            ["default_skills", "completed"],
            ["split_full_name", "completed"],
        ]


def add_users(engine: sa.Engine, migrations: MigrationContext) -> None:
    """Insert users as they were before the story begins."""
    migrations.migrate_up_to("0002")
    with engine.begin() as connection:
        rows = [{"email": f"{number}@example.com", "full_name": name} for number, name in enumerate(NAMES)]
        connection.execute(sa.text("INSERT INTO users (email, full_name) VALUES (:email, :full_name)"), rows)


def users(engine: sa.Engine) -> list[Any]:
    """Read the users as the table now has them."""
    with engine.connect() as connection:
        table = sa.Table("users", sa.MetaData(), autoload_with=connection)
        if "skills" in table.c:
            table.c.skills.type = sa.JSON()  # MariaDB's is text to reflection
        return list(connection.execute(sa.select(table).order_by(table.c.id)).all())
