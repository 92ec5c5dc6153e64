"""Where a command finds its settings, its transforms and its databases."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from backfill.command.project import Address, open_project
from backfill.database import Database
from backfill.errors import Refused, SettingsError, Unreachable
from tests.workspace import Workspace

ENV = """
    from alembic import context
    from sqlalchemy import create_engine

    {before}
    with create_engine("{url}").connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
    {after}
"""


@pytest.fixture
def project(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project with Alembic, whose env.py names its own SQLite file."""
    monkeypatch.delenv("BACKFILL_DATABASE_URL")
    sqlite_workspace.add_users(3)
    sqlite_workspace.write_fill()
    sqlite_workspace.write("alembic.ini", "[alembic]\nscript_location = migrations\n")
    write_env(sqlite_workspace)
    return sqlite_workspace


def write_env(project: Workspace, before: str = "", after: str = "", url: str | None = None) -> None:
    """Write an env.py with lines of the project's own around the connection."""
    text = ENV.format(before=before, after=after, url=url or project.url.render_as_string())
    project.write("migrations/env.py", text)


def rows_seen(address: Address = Address(), **overrides: Any) -> list[int]:  # noqa: B008  # frozen
    """Visit the project's databases; how many users each of them has."""
    seen: list[int] = []

    def look(database: Database) -> None:
        seen.append(database.connection.exec_driver_sql("SELECT count(*) FROM users").scalar_one())

    open_project(address, **overrides).visit(look)
    return seen


def test_the_projects_own_env_is_asked(project: Workspace) -> None:
    """Nothing is configured a second time."""
    assert rows_seen() == [3]


def test_several_databases_are_one_list_for_programs(project: Workspace) -> None:
    """Here it is one that env.py comes to twice."""
    project.write_fill(body='return Written(nickname="x") if user.id != 2 else 1 / 0')
    assert project.run("run", "fill_nickname", "--max-rejections", "1").exit_code != 0
    once = ENV.format(before="", after="", url=project.url.render_as_string())
    project.write("migrations/env.py", once + once)
    for command in (("rejections", "fill_nickname", "--json"), ("status", "--json")):
        assert len(json.loads(project.run(*command).stdout)) == 2


@pytest.mark.parametrize("place", ["alembic.ini", "migrations/alembic.ini", "pyproject.toml"])
def test_the_configuration_is_found(place: str, project: Workspace) -> None:
    """In each of the places where Alembic and Flask-Migrate put it."""
    (project.folder / "alembic.ini").unlink()
    location = project.folder / "migrations"
    text = (
        f'[tool.alembic]\nscript_location = "{location}"\n'
        if place.endswith("toml")
        else f"[alembic]\nscript_location = {location}\n"
    )
    project.write(place, text)
    assert rows_seen() == [3]


def test_a_pyproject_without_alembic_is_none(project: Workspace) -> None:
    """Every project has a pyproject.toml."""
    (project.folder / "alembic.ini").unlink()
    project.write("pyproject.toml", "[project]\nname = 'x'\n")
    with pytest.raises(Refused, match="there is no Alembic environment here"):
        open_project(Address())


def test_a_named_configuration_wins(project: Workspace) -> None:
    """--config names a file anywhere, and the transforms beside it are found."""
    elsewhere = project.write("elsewhere/else.ini", f"[alembic]\nscript_location = {project.folder}/migrations\n")
    (project.folder / "alembic.ini").unlink()
    assert rows_seen(Address(config=elsewhere)) == [3]


def test_a_url_wins_over_the_environment(project: Workspace) -> None:
    """A database that is named is the one that is meant."""
    write_env(project, before="raise SystemError")
    assert rows_seen(Address(database=str(project.url))) == [3]


def test_the_command_line_wins_over_every_setting(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """pyproject.toml, then alembic.ini, then the environment, then the call."""
    assert open_project(Address()).settings.batch_size == 1_000
    project.write("pyproject.toml", "[tool.backfill]\nbatch_size = 2\n")
    assert open_project(Address()).settings.batch_size == 2
    project.write("alembic.ini", "[alembic]\nscript_location = migrations\n[backfill]\nbatch_size = 3\n")
    assert open_project(Address()).settings.batch_size == 3
    monkeypatch.setenv("BACKFILL_BATCH_SIZE", "4")
    assert open_project(Address()).settings.batch_size == 4
    assert open_project(Address(), batch_size=5).settings.batch_size == 5
    with pytest.raises(SettingsError, match="batch_size"):
        open_project(Address(), batch_size=0)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("nowhere", "env.py cannot be run: migrations/env.py, line 5: NameError: name 'nowhere' is not defined"),
        ("import no_such_app", "migrations/env.py, line 5: ModuleNotFoundError: No module named 'no_such_app'"),
        ("import os; os.environ['NO_CANARY']", "migrations/env.py, line 5: KeyError"),
        ("raise RuntimeError('canary')", "migrations/env.py, line 5: RuntimeError"),
        ("import MySQLdb", "the driver MySQLdb is not installed"),
        ("create_engine('canary')", "env.py holds no URL of a database"),
        ("create_engine('canary://x')", "the URL of env.py names a database or a driver"),
        ("context.get_x_argument(as_dictionary=True)['tenant']", "migrations/env.py, line 5: KeyError"),
    ],
)
def test_a_broken_env_is_refused(before: str, said: str, project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises, it is one sentence with the line to look at and exit code 2, and no value."""
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    write_env(project, before=before)
    result = project.run("run", "fill_nickname")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "canary" not in result.output.casefold()
    assert project.tables() == {"users"}


def test_a_database_that_env_cannot_reach(project: Workspace) -> None:
    """The driver's words, which may hold the URL, are not told."""
    write_env(project, url="sqlite:////nowhere/canary.db")
    with pytest.raises(Unreachable, match=r"could not be reached \(SQLITE_CANTOPEN\)"):
        rows_seen()


def test_an_env_that_breaks_after_the_work(project: Workspace) -> None:
    """What was done stays done, and what broke is told."""
    write_env(project, after="raise RuntimeError('canary')")
    result = project.run("run", "fill_nickname")
    assert result.stdout == "fill_nickname: completed. 3 rows walked, 3 written.\n"
    assert "RuntimeError" in result.stderr
    assert "canary" not in result.stderr
    assert [row[2] for row in project.rows()] == ["u1", "u2", "u3"]


def test_an_unknown_bind_is_refused(project: Workspace) -> None:
    """With the binds that there are."""
    result = project.run("run", "fill_nickname", "--bind", "nowhere")
    assert result.exit_code == 2
    assert "env.py has no database called nowhere; it has: default" in result.stderr


def test_arguments_reach_env(project: Workspace) -> None:
    """-x is passed on as by `alembic -x`."""
    write_env(project, before="assert context.get_x_argument(as_dictionary=True)['tenant'] == 'acme'")
    assert rows_seen(Address(x_arguments=["tenant=acme"])) == [3]


def test_an_error_of_the_visitor_is_its_own(project: Workspace) -> None:
    """Only what goes wrong around the visit is told as a problem of the connection."""

    def fail(_: Database) -> None:
        raise ModuleNotFoundError("mine", name="psycopg")

    for address in (Address(), Address(database=str(project.url))):
        with pytest.raises(ModuleNotFoundError, match="mine"):
            open_project(address).visit(fail)


def test_looking_makes_no_file(sqlite_workspace: Workspace) -> None:
    """A mistyped path is refused; connecting would have made an empty database of it."""
    before = set(Path.cwd().iterdir())
    with pytest.raises(Refused, match="there is no such SQLite file"):
        rows_seen(Address(database="sqlite:///mistyped.db"))
    assert set(Path.cwd().iterdir()) == before


def test_memory_is_a_database_too(sqlite_workspace: Workspace) -> None:
    """It has no file to be looked for."""
    seen: list[str] = []
    for url in ("sqlite://", "sqlite:///:memory:"):
        open_project(Address(database=url)).visit(lambda database: seen.append(database.dialect.name))
    assert seen == ["sqlite", "sqlite"]


def test_an_async_driver_is_refused(sqlite_workspace: Workspace) -> None:
    """A URL for an async program would fail later, with less to say."""
    pytest.importorskip("aiosqlite")
    with pytest.raises(Refused, match=r"sqlite\+aiosqlite is for async programs"):
        rows_seen(Address(database="sqlite+aiosqlite://"))


def test_a_relative_folder_may_be_anywhere(project: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command is run in the project's folder; from elsewhere it says so."""
    folder = project.folder / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(Refused, match="Go to the project's folder"):
        open_project(Address())
    assert Path.cwd() == folder
