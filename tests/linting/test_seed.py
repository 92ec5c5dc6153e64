"""The revision that ResumeAI's guide teaches: found, split, and then killed, resumed and gated on each database."""

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.doors.conftest import logging_restored
from tests.doors.projects import Project, make_project

USERS = 3_000
DEFAULT = [{"name": "Unspecified", "level": "beginner"}]

GUIDE = '''"""Add skills column to User table"""
from alembic import op
import sqlalchemy as sa

revision = "skills"
down_revision = "users"


def upgrade():
    op.add_column('users', sa.Column('skills', sa.JSON, nullable=True))

    # Populate existing users with default skills
    from sqlalchemy.sql import table, column
    from sqlalchemy.dialects import postgresql

    users_table = table(
        'users',
        column('id', sa.Integer),
        column('skills', postgresql.JSON)
    )

    default_skills = [{"name": "Unspecified", "level": "beginner"}]
    op.execute(users_table.update().values(skills=default_skills))


def downgrade():
    op.drop_column('users', 'skills')
'''

NOT_NULL = '''"""Give everybody a role"""
from alembic import op
import sqlalchemy as sa

revision = "roles"
down_revision = "users"


def upgrade():
    op.add_column("users", sa.Column("role", sa.String(20)))
    op.execute("UPDATE users SET role = 'user' WHERE role IS NULL")
    with op.batch_alter_table("users") as users:
        users.alter_column("role", existing_type=sa.String(20), nullable=False)


def downgrade():
    op.drop_column("users", "role")
'''


@pytest.fixture
def project(tmp_path: Path, database_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Give a project with many users, on each database."""
    monkeypatch.chdir(tmp_path)
    for variable in ("BACKFILL_BATCH_SIZE", "BACKFILL_MAX_BATCH_SIZE"):
        monkeypatch.setenv(variable, "10")
    with logging_restored():
        made = make_project(tmp_path, database_url)
        made.add_revision("users", CREATE_USERS, 'op.drop_table("users")')
        made.upgrade()
    made.add_users(USERS)
    return made


CREATE_USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
)
"""


def test_guide_is_found_split_and_resumes(project: Project) -> None:
    """`check` finds it, `--fix` splits it, and the result survives a kill, is gated, and fills every user once."""
    fix(project, "skills", GUIDE)
    kill_when(project, "skills")
    assert project.version() == "skills_expand"
    assert 0 < filled(project, "skills") < USERS
    refused = skip_the_fill(project, "skills_fill")
    assert "fill_users_skills" in refused.stderr + refused.stdout
    assert "backfill run fill_users_skills" in refused.stderr + refused.stdout
    finished(project, "skills_expand")
    assert project.version() == "skills"
    assert {str(json_of(value)) for value in project.scalars("SELECT skills FROM users")} == {str(DEFAULT)}


def test_not_null_waits_for_the_rows(project: Project) -> None:
    """The contract of the author's own NOT NULL goes through the gate, and everything can be taken back."""
    fix(project, "roles", NOT_NULL)
    kill_when(project, "role")
    refused = skip_the_fill(project, "roles_fill")
    assert "fill_users_role" in refused.stderr + refused.stdout
    finished(project, "roles_expand")
    assert project.version() == "roles"
    assert set(project.scalars("SELECT role FROM users")) == {"user"}
    with pytest.raises(sa.exc.DBAPIError):
        project.execute("INSERT INTO users (id, name) VALUES (0, 'nobody')")
    down = project.call("alembic", "downgrade", "users")
    assert down.returncode == 0, down.stderr
    assert project.version() == "users"
    finished(project, "users")
    assert set(project.scalars("SELECT role FROM users")) == {"user"}


def fix(project: Project, name: str, text: str) -> None:
    """Add the revision, see it found, split it, and see that nothing is found any more."""
    (project.root / "migrations" / "versions" / f"{name}.py").write_text(text)
    found = project.call("backfill", "check")
    assert found.returncode == 1, found.stderr
    assert f"migrations/versions/{name}.py:" in found.stdout
    assert "[mixed]" in found.stdout
    fixed = project.call("backfill", "check", "--fix")
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert fixed.stderr.count("written") == 4


def kill_when(project: Project, column: str) -> None:
    """Kill the upgrade in the midst of the fill."""
    upgrade = project.start("alembic", "upgrade", "head")
    deadline = time.monotonic() + 60
    while not 0 < filled(project, column) < USERS:
        assert upgrade.poll() is None, "the upgrade ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    upgrade.kill()
    upgrade.communicate()
    assert upgrade.returncode == -signal.SIGKILL


def filled(project: Project, column: str) -> int:
    """Count the users that are filled; none while there is no such column."""
    try:
        return int(project.scalars(f"SELECT count({column}) FROM users")[0])
    except sa.exc.DBAPIError:
        return 0


def skip_the_fill(project: Project, revision: str) -> subprocess.CompletedProcess[str]:
    """Pretend that the fill was done; gives the upgrade that the gate refuses."""
    assert project.call("alembic", "stamp", revision).returncode == 0
    refused = project.call("alembic", "upgrade", "head")
    assert refused.returncode != 0
    return refused


def finished(project: Project, revision: str) -> None:
    """Go on from a revision to the head, with batches of a usual size."""
    assert project.call("alembic", "stamp", revision).returncode == 0
    usual = {"BACKFILL_BATCH_SIZE": "1000", "BACKFILL_MAX_BATCH_SIZE": "1000"}
    done = project.call("alembic", "upgrade", "head", **usual)
    assert done.returncode == 0, done.stderr


def json_of(value: object) -> object:
    """Give what a JSON column holds, parsed by the driver or not."""
    return json.loads(value) if isinstance(value, str) else value
