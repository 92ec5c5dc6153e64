"""`backfill revision`: what it writes is a revision of the project's own, and upgrades."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from backfill.cli import cli
from tests.doors.conftest import USERS
from tests.doors.projects import Project, make_project
from tests.doors.stories import EXPAND
from tests.doors.stories import USERS as TABLE
from tests.workspace import forget_transforms


def revision(*arguments: str) -> Result:
    """Run the command in this process."""
    forget_transforms()
    return CliRunner().invoke(cli, ["revision", *arguments], catch_exceptions=False)


def written(project: Project) -> str:
    """The text of the revision that is not one of the story's."""
    versions = project.root / "migrations" / "versions"
    (path,) = [path for path in versions.glob("*.py") if path.stem not in ("users", "expand")]
    return path.read_text()


def expanded(project: Project) -> Project:
    """Give a project that has its column, and no revision that fills it."""
    project.add_revision("users", TABLE, 'op.drop_table("users")')
    project.add_revision("expand", EXPAND, 'op.drop_column("users", "greeting")')
    project.upgrade()
    project.add_users(USERS)
    return project


@pytest.fixture
def project(root: Path, database_url: sa.URL) -> Project:
    """Give such a project on each database."""
    return expanded(make_project(root, database_url))


@pytest.fixture
def sqlite_project(root: Path, sqlite_url: sa.URL) -> Project:
    """Give such a project on SQLite alone."""
    return expanded(make_project(root, sqlite_url))


def is_nullable(project: Project) -> bool:
    """Whether the column may be NULL."""
    engine = sa.create_engine(project.url, poolclass=sa.NullPool)
    return bool(sa.Table("users", sa.MetaData(), autoload_with=engine).c.greeting.nullable)


def test_fill_and_contract(project: Project) -> None:
    """Both are written on top of the head, fill and close the column, and can be taken back."""
    assert revision("greet", "--rev-id", "fill").exit_code == 0
    project.upgrade()
    assert (project.version(), project.greetings(), is_nullable(project)) == ("fill", USERS, True)
    assert revision("greet", "--gate", "--rev-id", "contract").exit_code == 0
    project.upgrade()
    assert (project.version(), is_nullable(project)) == ("contract", False)
    project.downgrade("expand")
    assert (is_nullable(project), project.status()) == (True, "undone")


def test_the_gate_is_closed_while_rows_wait(project: Project) -> None:
    """What it writes refuses before it touches the schema."""
    revision("greet", "--gate", "--rev-id", "contract")
    assert 'require_backfill("greet", none_left=True)' in written(project)
    refused = project.call("alembic", "upgrade", "head")
    assert refused.returncode != 0
    assert f"{USERS} rows of users still wait for greet" in refused.stderr
    assert is_nullable(project)


def test_a_default_and_a_comment_stay(root: Path, mariadb_url: sa.URL) -> None:
    """MariaDB's ALTER says the whole column, so the revision does."""
    project = make_project(root, mariadb_url)
    project.add_revision("users", TABLE)
    project.add_revision("expand", EXPAND.replace("nullable=True", 'comment="said", server_default="hi"'))
    project.upgrade()
    gated = revision("greet", "--gate", "--rev-id", "contract")
    assert gated.exit_code == 0, gated.output
    project.upgrade()
    ((default, comment, nullable),) = project.execute(
        "SELECT column_default, column_comment, is_nullable FROM information_schema.columns "
        "WHERE table_schema = database() AND column_name = 'greeting'"
    )
    assert (default, comment, nullable) == ("'hi'", "said", "NO")


def test_images_are_undone(sqlite_project: Project) -> None:
    """Where the definition keeps images, its downgrade uses them."""
    sqlite_project.edit(
        "transforms/greet.py", '@backfill.transform("users",', '@backfill.transform("users", keep_undo=True,'
    )
    revision("greet")
    assert 'undo_backfill("greet")' in written(sqlite_project)
    sqlite_project.upgrade()
    sqlite_project.downgrade("expand")
    assert sqlite_project.pending() == USERS


def test_without_columns_to_close(sqlite_project: Project) -> None:
    """What fills no empty column is waited for all the same."""
    revision("count_visits", "--gate")
    assert 'require_backfill("count_visits")' in written(sqlite_project)
    assert "alter_column" not in written(sqlite_project)


def test_a_template_for_several_databases(root: Path, tmp_path: Path, sqlite_url: sa.URL) -> None:
    """The bind says into which function it goes; without one nothing is written."""
    project = make_project(root, sqlite_url, template="multidb")
    project.edit(
        "alembic.ini", "sqlalchemy.url = driver://user:pass@localhost/dbname", f"sqlalchemy.url = {sqlite_url}"
    )
    project.edit("alembic.ini", "driver://user:pass@localhost/dbname2", f"sqlite:///{tmp_path}/second.db")
    unnamed = revision("greet")
    assert unnamed.exit_code == 2
    assert "say which is meant with --bind NAME" in unnamed.stderr
    assert list((project.root / "migrations" / "versions").glob("*.py")) == []
    assert revision("greet", "--bind", "engine2").exit_code == 0
    assert 'def upgrade_engine2() -> None:\n    """Upgrade engine2 schema."""\n    run_backfill("greet")' in written(
        project
    )


def test_two_heads(sqlite_project: Project) -> None:
    """Which of them it follows is for the author to say."""
    sqlite_project.head = "users"
    sqlite_project.add_revision("branch", "pass")
    refused = revision("greet")
    assert refused.exit_code == 2
    assert "no revision was written: Multiple heads are present" in refused.stderr
    assert revision("greet", "--head", "expand", "--rev-id", "fill").exit_code == 0
    assert "down_revision: Union[str, Sequence[str], None] = 'expand'" in next(
        path.read_text() for path in (sqlite_project.root / "migrations" / "versions").glob("fill*.py")
    )


def test_before_the_column_is_there(root: Path, sqlite_url: sa.URL) -> None:
    """A gate is written for a table that there is."""
    make_project(root, sqlite_url).upgrade()
    refused = revision("greet", "--gate")
    assert refused.exit_code == 2
    assert "there is no table users in this database" in refused.stderr


def test_a_database_by_its_url(sqlite_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Revisions belong to an environment, not to a database."""
    refused = revision("greet", "--database", str(sqlite_project.url))
    assert refused.exit_code == 2
    assert "revisions belong to an Alembic environment" in refused.stderr
