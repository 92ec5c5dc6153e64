"""Types: what mypy, and pyright where it is installed, accept, and the mistakes that each of them reports."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
API = PROJECT / "tests" / "typing" / "api.py"

HEAD = """
from typing import Any
from pydantic import BaseModel
from sqlalchemy import column, func
import backfill
from backfill import Rows, is_missing

class User(BaseModel):
    full_name: str

class Name(BaseModel):
    first_name: str
    last_name: str

@backfill.transform("users")
def split(user: User) -> Name:
    return Name(first_name=user.full_name, last_name="")
"""

MISTAKES: dict[str, tuple[str, str]] = {
    "a dictionary from a row": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> dict[str, str]:
            return {"first_name": user.full_name}
        """,
        'Value of type variable "PerRow"',
    ),
    "a list of text from a row": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> list[str]:
            return []
        """,
        'Value of type variable "PerRow"',
    ),
    "text from a row": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> str:
            return user.full_name
        """,
        'Value of type variable "PerRow"',
    ),
    "an output field forgotten": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> Name:
            return Name(first_name=user.full_name)
        """,
        'Missing named argument "last_name" for "Name"',
    ),
    "an output field of another type": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> Name:
            return Name(first_name=1, last_name="")
        """,
        'incompatible type "int"; expected "str"',
    ),
    "a column that was not asked for": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> Name:
            return Name(first_name=user.fullname, last_name="")
        """,
        '"User" has no attribute "fullname"',
    ),
    "a batch for a row": (
        """
        @backfill.transform("users")
        def mistake(users: list[User]) -> Name:
            return split(users[0])
        """,
        'Value of type variable "Row"',
    ),
    "a dictionary for a row": (
        """
        @backfill.transform("users")
        def mistake(user: dict[str, Any]) -> Name:
            return Name(**user)
        """,
        'Value of type variable "Row"',
    ),
    "a number from columns": (
        """
        @backfill.transform("users")
        def mistake(users: Rows) -> int:
            return 0
        """,
        'cannot be "int"',
    ),
    "no type": (
        """
        @backfill.transform("users")
        def mistake(user) -> Name:
            return Name(first_name="", last_name="")
        """,
        "Function is missing a type annotation",
    ),
    "text for a condition": (
        """
        @backfill.transform("users", where="first_name IS NULL")
        def mistake(user: User) -> None:
            return None
        """,
        'Argument "where" to "transform" has incompatible type "str"',
    ),
    "Python's own comparison for a condition": (
        """
        @backfill.transform("users", where=column("a") is None)
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'Argument "where" to "transform" has incompatible type "bool"',
    ),
    "an option misspelt": (
        """
        @backfill.transform("users", wheer=is_missing("first_name"))
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'Unexpected keyword argument "wheer" for "transform"; did you mean "where"?',
    ),
    "a model for a table": (
        """
        @backfill.transform(User)
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'Argument 1 to "transform" has incompatible type "type[User]"; expected "str"',
    ),
    "no parentheses": (
        """
        @backfill.transform
        def mistake(user: User) -> Name:
            return split(user)
        """,
        'Argument 1 to "transform" has incompatible type',
    ),
    "a forgotten return": (
        """
        @backfill.transform("users")
        def mistake(user: User) -> Name:
            Name(first_name=user.full_name, last_name="")
        """,
        "Missing return statement",
    ),
    "a column's number": ("is_missing(1)", 'Argument 1 to "is_missing" has incompatible type "int"; expected "str"'),
    "a test without its row": ("split()", 'Missing positional argument "user"|Too few arguments'),
    "a test with another row": (
        'split(Name(first_name="", last_name=""))',
        'has incompatible type "Name"; expected "User"',
    ),
    "a test with more": ('split(User(full_name=""), 1)', "Too many arguments"),
    "a test that expects too much": (
        'split(User(full_name="")).email',
        '"Name" has no attribute "email"',
    ),
}


def write(folder: Path) -> dict[str, Path]:
    """Write one file a mistake."""
    paths = {name: folder / f"mistake_{number}.py" for number, name in enumerate(MISTAKES)}
    for name, path in paths.items():
        lines = MISTAKES[name][0].splitlines()
        path.write_text(HEAD + "\n".join(line.removeprefix("        ") for line in lines))
    return paths


def check(command: list[str], paths: list[Path]) -> str:
    """Run a type checker on these files."""
    environment = os.environ | {"MYPYPATH": str(PROJECT), "PYTHONPATH": str(PROJECT)}
    run = subprocess.run(
        [*command, *map(str, paths)], cwd=PROJECT, env=environment, check=False, capture_output=True, text=True
    )
    return run.stdout + run.stderr


@pytest.fixture(scope="module")
def mypy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give what mypy says of each mistake, of the code without one, and of the uses that must be right."""
    pytest.importorskip("mypy")
    folder = tmp_path_factory.mktemp("mypy")
    paths = write(folder) | {"none": folder / "correct.py", "api": API}
    paths["none"].write_text(HEAD)
    config = folder / "mypy.ini"
    config.write_text("[mypy]\nstrict = True\nfollow_imports = silent\nexplicit_package_bases = True\n")
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(folder / "cache")]
    said = check(command, list(paths.values()))
    assert "Found" in said, said
    return {
        name: "\n".join(line for line in said.splitlines() if Path(line.partition(":")[0]).name == path.name)
        for name, path in paths.items()
    }


@pytest.mark.parametrize("name", MISTAKES)
def test_mypy_reports_the_mistake(mypy: dict[str, str], name: str) -> None:
    """In words from which one sees what is meant."""
    assert any(told in mypy[name] for told in MISTAKES[name][1].split("|")), mypy[name]


@pytest.mark.parametrize("name", ["none", "api"])
def test_mypy_accepts_what_is_right(mypy: dict[str, str], name: str) -> None:
    """Strictly."""
    assert mypy[name] == ""


@pytest.fixture(scope="module")
def pyright(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Path]]:
    """Give what pyright says of all files, and the files."""
    program = shutil.which("pyright") or shutil.which("pyright", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("pyright is not installed")
    folder = tmp_path_factory.mktemp("pyright")
    paths = write(folder) | {"none": folder / "correct.py", "api": API}
    paths["none"].write_text(HEAD)
    said = check([program, "--pythonpath", sys.executable], list(paths.values()))
    if "errors," not in said:
        pytest.skip("pyright is installed, but does not run here")
    return said, paths


@pytest.mark.parametrize("name", [name for name in MISTAKES if name != "no type"])
def test_pyright_reports_the_mistake(pyright: tuple[str, dict[str, Path]], name: str) -> None:
    """As an editor underlines it."""
    said, paths = pyright
    assert f"{paths[name].name}:" in said


@pytest.mark.parametrize("name", ["none", "api"])
def test_pyright_accepts_what_is_right(pyright: tuple[str, dict[str, Path]], name: str) -> None:
    """Nothing is underlined without a reason."""
    said, paths = pyright
    assert not [line for line in said.splitlines() if f"{paths[name].name}:" in line and "error" in line]
