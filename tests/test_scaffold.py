"""The files that a new project and a new transform begin with."""

import ast
from pathlib import Path

import pytest

from backfill.catalog import Catalog
from backfill.command.scaffold import write_project, write_transform
from backfill.errors import Refused
from tests.workspace import Workspace, forget_transforms


@pytest.fixture
def folder(sqlite_workspace: Workspace) -> Path:
    """Give a folder with a package for transforms, as the working directory."""
    list(write_project("transforms"))
    return sqlite_workspace.folder


def files(folder: Path) -> set[str]:
    """Every file there is, by its path."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*.py")}


def test_a_project_is_one_package(folder: Path) -> None:
    """No more than needed is written."""
    assert files(folder) == {"transforms/__init__.py"}


def test_the_package_that_the_settings_name(sqlite_workspace: Workspace) -> None:
    """A project that keeps its transforms elsewhere gets them there, from init as from new."""
    sqlite_workspace.write("pyproject.toml", '[tool.backfill]\ntransforms = "app.steps"\n')
    sqlite_workspace.write("app/__init__.py", "")
    assert "written  app/steps/__init__.py" in sqlite_workspace.run("init").stdout
    assert sqlite_workspace.run("new", "fill", "--table", "t", "--column", "c").exit_code == 0
    assert files(sqlite_workspace.folder) == {"app/__init__.py", "app/steps/__init__.py", "app/steps/fill.py"} | {
        "tests/test_fill.py"
    }
    assert "from app.steps.fill import fill" in Path("tests/test_fill.py").read_text()
    assert "fill  (t)" in sqlite_workspace.run("list").stdout


def test_what_is_missing_around_is_said(sqlite_workspace: Workspace) -> None:
    """Without Alembic there is a command to type; with it there is not."""
    assert "alembic init migrations" in sqlite_workspace.run("init").stdout
    sqlite_workspace.write("alembic.ini", "")
    assert "alembic init migrations" not in sqlite_workspace.run("init").stdout


@pytest.mark.parametrize("sql", [False, True])
@pytest.mark.parametrize(
    ("table", "column"), [("users", "nickname"), ("app.users", "größe"), ("my users", "x1"), ("{users}", "c")]
)
def test_what_is_written_can_be_loaded(table: str, column: str, sql: bool, folder: Path) -> None:
    """It is Python, says what it is about, and declares a transform of that table and column."""
    list(write_transform("transforms", "fill", table, column, sql=sql))
    forget_transforms()
    definition = Catalog("transforms", [folder]).find("fill").definition
    assert definition.tables == (table,)
    assert definition.description
    assert ast.get_docstring(ast.parse(Path("transforms/fill.py").read_text())) == f"Fill {table}.{column}."


@pytest.mark.parametrize("column", ["two words", "class", "1st", "_hidden"])
def test_a_column_that_is_no_field(column: str, folder: Path) -> None:
    """As SQL any column can be filled; as a field of a model this one cannot, and that is said."""
    with pytest.raises(Refused, match="take --sql, or write the model with an alias"):
        list(write_transform("transforms", "fill", "users", column, sql=False))
    assert files(folder) == {"transforms/__init__.py"}
    list(write_transform("transforms", "fill", "users", column, sql=True))
    forget_transforms()
    assert Catalog("transforms", [folder]).find("fill").name == "fill"


@pytest.mark.parametrize("text", ["", 'a"b', "a\\b", "a\nb", "a\x1bb"])
@pytest.mark.parametrize("is_table", [True, False])
def test_a_name_that_would_break_the_file(text: str, is_table: bool, folder: Path) -> None:
    """Nothing that a string or a terminal would take for more than text."""
    table, column = (text, "c") if is_table else ("t", text)
    with pytest.raises(Refused, match="cannot be written into a file"):
        list(write_transform("transforms", "fill", table, column, sql=True))
    assert files(folder) == {"transforms/__init__.py"}


@pytest.mark.parametrize("name", ["Fill", "1st", "two words", "../fill", "fill.py", "", "x" * 101, "größe"])
def test_a_name_that_is_none(name: str, folder: Path) -> None:
    """A transform's name is a file, a function and a key at once."""
    with pytest.raises(Refused, match="is no name for a transform"):
        list(write_transform("transforms", name, "users", "nickname", sql=False))
    assert files(folder) == {"transforms/__init__.py"}


@pytest.mark.parametrize("name", ["def", "str", "cast", "is_missing", "backfill"])
def test_a_name_that_is_taken(name: str, folder: Path) -> None:
    """A function of Python's own name, or of one that the file imports, would call itself."""
    with pytest.raises(Refused, match="means something else in Python already"):
        list(write_transform("transforms", name, "users", "nickname", sql=False))


@pytest.mark.parametrize("existing", ["fill.py", "fill.json"])
def test_nothing_is_overwritten(existing: str, folder: Path) -> None:
    """A transform that is there, as code or as JSON, stays as it is."""
    file = folder / "transforms" / existing
    file.write_text("mine")
    with pytest.raises(Refused, match=f"transforms/{existing} is there already"):
        list(write_transform("transforms", "fill", "users", "nickname", sql=False))
    assert file.read_text() == "mine"


def test_without_the_package(sqlite_workspace: Workspace) -> None:
    """The command that makes it is named."""
    with pytest.raises(Refused, match="Make it with: backfill init"):
        list(write_transform("transforms", "fill", "users", "nickname", sql=False))


def test_a_test_that_is_there_is_kept(folder: Path) -> None:
    """An author may have written it first."""
    test = folder / "tests" / "test_fill.py"
    test.parent.mkdir()
    test.write_text("mine")
    said = list(write_transform("transforms", "fill", "users", "nickname", sql=False))
    assert "kept     tests/test_fill.py, which is there already" in said
    assert test.read_text() == "mine"
