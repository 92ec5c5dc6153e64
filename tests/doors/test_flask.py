"""`flask db …` and `flask backfill …` in applications made by `flask db init`, with no line of env.py edited."""

import importlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

from backfill.flask import cli
from tests.doors.conftest import USERS
from tests.doors.projects import Project, write_modules
from tests.doors.stories import PER_ENGINE
from tests.doors.stories import USERS as TABLE

# Flask-Migrate's own env.py tries the method of older releases first.
pytestmark = pytest.mark.filterwarnings("ignore:'get_engine' is deprecated:DeprecationWarning")

APP = """
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = {url!r}
app.config["SQLALCHEMY_BINDS"] = {binds!r}
db = SQLAlchemy(app)
Migrate(app, db)


class User(db.Model):
    __tablename__ = "users"
    __bind_key__ = {bind!r}
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(100), nullable=False)
    visits = db.Column(db.Integer, nullable=False, server_default="0")
    greeting = db.Column(db.String(200), nullable=False)
"""

Command = Callable[..., Result]
MakeApp = Callable[..., Command]


@pytest.fixture
def make_app(root: Path) -> Iterator[MakeApp]:
    """Give a function that writes an application, imports it, and gives a way to call its commands."""
    apps = []

    def make(url: sa.URL, binds: dict[str, sa.URL] | None = None, bind: str | None = None) -> Command:
        shown = {name: each.render_as_string(hide_password=False) for name, each in {"": url, **(binds or {})}.items()}
        (root / "app.py").write_text(APP.format(url=shown.pop(""), binds=shown, bind=bind))
        app: Flask = importlib.import_module("app").app
        apps.append(app)
        runner = app.test_cli_runner()

        def flask(*words: str) -> Result:
            if words[0] == "backfill":
                return runner.invoke(cli, words[1:])
            return runner.invoke(args=words)

        return flask

    yield make
    for app in apps:
        with app.app_context():
            for engine in app.extensions["sqlalchemy"].engines.values():
                engine.dispose()


@pytest.fixture
def flask(database_url: sa.URL, make_app: MakeApp) -> Command:
    """Give the commands of an application on each database."""
    return make_app(database_url)


@pytest.fixture
def project(root: Path, database_url: sa.URL, flask: Command) -> Project:
    """Give that application's project, at its first revision with users in it."""
    return begun(root, database_url, flask)


@pytest.fixture
def sqlite_flask(sqlite_url: sa.URL, make_app: MakeApp) -> Command:
    """Give the commands of an application on SQLite alone."""
    return make_app(sqlite_url)


@pytest.fixture
def sqlite_project(root: Path, sqlite_url: sa.URL, sqlite_flask: Command) -> Project:
    """Give that application's project."""
    return begun(root, sqlite_url, sqlite_flask)


def begun(root: Path, url: sa.URL, flask: Command) -> Project:
    """Make the project by `flask db init`, upgrade to the first revision and add users."""
    assert flask("db", "init").exit_code == 0
    write_modules(root)
    project = Project(root, url)
    project.add_story()
    assert flask("db", "upgrade", "users").exit_code == 0
    project.add_users(USERS)
    return project


def test_upgrade_and_check(flask: Command, project: Project) -> None:
    """`flask db upgrade` fills, `flask db check` is clean, `flask db downgrade` resets."""
    assert flask("db", "upgrade").exit_code == 0
    assert (project.version(), project.greetings()) == ("contract", USERS)
    assert flask("db", "check").exit_code == 0
    assert flask("db", "downgrade", "users").exit_code == 0
    assert project.status() == "undone"


def test_migrate_finds_nothing(sqlite_flask: Command, sqlite_project: Project) -> None:
    """`flask db migrate` writes no revision because of the ledger."""
    sqlite_flask("db", "upgrade")
    migrated = sqlite_project.call("flask", "--app", "app", "db", "migrate")
    assert migrated.returncode == 0
    assert "No changes in schema detected." in migrated.stderr


def test_migrate_writes_three_revisions(root: Path, sqlite_url: sa.URL, sqlite_flask: Command) -> None:
    """`flask db migrate` splits a new column that may hold no NULL, where the application names our function."""
    assert sqlite_flask("db", "init").exit_code == 0
    project = Project(root, sqlite_url)
    project.add_revision("users", TABLE)
    assert sqlite_flask("db", "upgrade").exit_code == 0
    project.edit("app.py", "Migrate(app, db)", "Migrate(app, db, process_revision_directives=expand_fill_contract)")
    project.edit("app.py", "import Flask\n", "import Flask\nfrom backfill.alembic import expand_fill_contract\n")
    migrated = project.call("flask", "--app", "app", "db", "migrate", "-m", "greet users")
    assert migrated.returncode == 0, migrated.stderr
    written = sorted(path.stem.partition("_")[2] for path in (root / "migrations" / "versions").glob("*_*.py"))
    assert written == ["contract_greet_users", "fill_greet_users", "greet_users"]


def test_deferred_then_run(flask: Command, project: Project, caplog: pytest.LogCaptureFixture) -> None:
    """`-x backfill=defer` stops at the gate with exit code 1; `flask backfill run` fills; the upgrade passes."""
    with caplog.at_level(logging.ERROR, logger="flask_migrate"):
        logging.getLogger("flask_migrate").addHandler(caplog.handler)
        refused = flask("db", "upgrade", "-x", "backfill=defer")
    assert refused.exit_code == 1
    assert (project.version(), project.status(), project.pending()) == ("fill", "pending", USERS)
    waiting = flask("backfill", "status")
    assert waiting.exit_code == 0
    assert "greet: deferred by its migration; to fill: flask backfill run greet" in waiting.output
    ran = flask("backfill", "run", "greet")
    assert (ran.exit_code, project.greetings()) == (0, USERS), repr(ran.exception) + ran.output
    assert flask("db", "upgrade").exit_code == 0
    assert project.version() == "contract"


def test_killed_upgrade_resumes(flask: Command, project: Project) -> None:
    """SIGKILL during `flask db upgrade` leaves whole batches; `flask db upgrade` goes on after them."""
    killed = project.call("flask", "--app", "app", "db", "upgrade", KILLED_AT="25")
    assert (killed.returncode, project.version(), project.greetings()) == (-9, "expand", 20)
    assert flask("db", "upgrade").exit_code == 0
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_failure_is_one_line(sqlite_flask: Command, sqlite_project: Project) -> None:
    """`flask db upgrade` ends with code 1 and our sentence, without a traceback."""
    failed = sqlite_project.call("flask", "--app", "app", "db", "upgrade", RAISES_AT="25")
    assert failed.returncode == 1
    assert "Error: greet failed: users row 25: ValueError at fate.py, line " in failed.stderr
    assert "Traceback" not in failed.stderr


def test_flask_finds_the_command(sqlite_flask: Command, sqlite_project: Project) -> None:
    """`flask backfill` is there without a line in the application."""
    sqlite_flask("db", "upgrade")
    status = sqlite_project.call("flask", "--app", "app", "backfill", "status")
    assert status.returncode == 0
    assert "completed" in status.stdout


HELPER = """
from backfill.command.project import Address
from backfill.flask import _reopen

project = _reopen("app", Address(), {})
project.visit(lambda database: print(project.catalog.find("greet").name, database.dialect.name))
"""


def test_a_helper_process_makes_the_application_again(flask: Command, project: Project) -> None:
    """Outside of any command, as `flask backfill run --workers 2` has it do."""
    (project.root / "helper.py").write_text(HELPER)
    called = project.call("helper")
    assert called.returncode == 0, called.stderr
    assert called.stdout.splitlines()[-1].startswith("greet ")


def test_workers_under_flask(flask: Command, project: Project) -> None:
    """They fill as one does."""
    flask("db", "upgrade", "-x", "backfill=defer")
    ran = project.call("flask", "--app", "app", "backfill", "run", "greet", "--workers", "3", "--batch-size", "1")
    assert (ran.returncode, project.greetings()) == (0, USERS), ran.stderr


def test_application_without_migrate(root: Path) -> None:
    """An application without Flask-Migrate is told what is missing."""
    bare = Flask("bare").test_cli_runner().invoke(cli, ["status"])
    assert bare.exit_code == 2
    assert "this application has no Flask-Migrate" in bare.output


@pytest.mark.parametrize("bind", ["other", None])
def test_binds(root: Path, tmp_path: Path, database_url: sa.URL, make_app: MakeApp, bind: str | None) -> None:
    """With `flask db init --multidb` users may be in the default database or in a bind's."""
    second = sa.URL.create("sqlite", database=str(tmp_path / "second.db"))
    urls = (second, database_url) if bind else (database_url, second)
    flask = make_app(urls[0], {"other": urls[1]}, bind)
    assert flask("db", "init", "--multidb").exit_code == 0
    write_modules(root)
    project = Project(root, database_url, PER_ENGINE, {"engine": bind or ""})
    project.add_story()
    assert flask("db", "upgrade", "users").exit_code == 0
    project.add_users(USERS)
    assert flask("db", "upgrade", "expand").exit_code == 0
    options = ("--bind", bind) if bind else ()
    typed = " ".join(("flask backfill run", *options, "greet"))
    deferred = flask("db", "upgrade", "fill", "-x", "backfill=defer")
    assert f"to fill: {typed}" in deferred.output, deferred.output
    assert f"To run it:  {typed}" in flask("backfill", "plan", "greet", *options).output
    ran = flask("backfill", "run", "greet", *options)
    assert (ran.exit_code, project.greetings()) == (0, USERS), ran.output
    assert "completed" in flask("backfill", "status", *options).output
    assert flask("db", "upgrade").exit_code == 0
    assert flask("db", "check").exit_code == 0
    assert project.version() == "contract"


def test_binds_are_filled_in_the_upgrade(root: Path, tmp_path: Path, database_url: sa.URL, make_app: MakeApp) -> None:
    """In the transaction that the multidb env.py holds, the upgrade fills the bind all the same."""
    flask = make_app(sa.URL.create("sqlite", database=str(tmp_path / "first.db")), {"other": database_url}, "other")
    assert flask("db", "init", "--multidb").exit_code == 0
    write_modules(root)
    project = Project(root, database_url, PER_ENGINE, {"engine": "other"})
    project.add_story()
    assert flask("db", "upgrade", "users").exit_code == 0
    project.add_users(USERS)
    upgraded = flask("db", "upgrade")
    assert upgraded.exit_code == 0, upgraded.output
    assert (project.version(), project.greetings(), project.status()) == ("contract", USERS, "completed")


def test_a_revision(sqlite_flask: Command, sqlite_project: Project) -> None:
    """`flask backfill revision` writes with Flask-Migrate's template, and the message says `flask backfill`."""
    revised = sqlite_flask("backfill", "revision", "count_visits", "--rev-id", "visits")
    assert revised.exit_code == 0, revised.output
    assert "then:  flask backfill revision count_visits --gate" in revised.output
    assert sqlite_flask("db", "upgrade").exit_code == 0
    assert (sqlite_project.version(), set(sqlite_project.visits())) == ("visits", {1})
