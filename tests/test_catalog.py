"""Catalog: a transform's name is its file's name, and nothing but that file is loaded."""

import sys
from pathlib import Path

import pytest

from backfill.catalog import Catalog
from backfill.errors import BackfillError, DeclarationError, TransformNotFound

LOWER = """
from backfill import Rows, transform

@transform("users")
def {name}(users: Rows) -> dict[str, object]:
    return {{"email": users.c.email}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of an empty transforms package, in a project that only this test knows."""
    package = tmp_path / "steps"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("steps", "missing")]:
        monkeypatch.delitem(sys.modules, name)
    return package


@pytest.fixture
def catalog(folder: Path) -> Catalog:
    """Give the catalog of that package."""
    return Catalog("steps", [folder.parent])


def test_a_python_file(folder: Path, catalog: Catalog) -> None:
    """File, function and name are one word."""
    (folder / "lower.py").write_text(LOWER.format(name="lower"))
    assert catalog.find("lower").definition.tables == ("users",)


def test_a_json_file(folder: Path, catalog: Catalog) -> None:
    """The same without Python."""
    (folder / "fill.json").write_text('{"table": "users", "set": {"a": 1}}')
    assert catalog.find("fill").definition.values == {"a": 1}


def test_names_come_from_files_alone(folder: Path, catalog: Catalog) -> None:
    """Listing imports nothing, and what cannot be a transform is not listed."""
    for name in ("b.py", "a.json", "_private.py", "notes.txt"):
        (folder / name).write_text("raise SystemExit('imported')")
    assert list(catalog.names()) == ["a", "b"]


def test_only_what_is_asked_for_is_imported(folder: Path, catalog: Catalog) -> None:
    """A broken neighbour stands in nobody's way."""
    (folder / "broken.py").write_text("raise SystemExit('imported')")
    (folder / "lower.py").write_text(LOWER.format(name="lower"))
    assert catalog.find("lower").name == "lower"


NOT_FOUND = ["lowr", "../lower", "steps.lower", "lower.py", "/etc/passwd", "lower;", "", " lower", "lower\n", "LOWER"]


@pytest.mark.parametrize("name", NOT_FOUND)
def test_a_name_that_is_no_file(folder: Path, catalog: Catalog, name: str) -> None:
    """It is refused before any path is made of it; exit code 2."""
    (folder / "lower.py").write_text(LOWER.format(name="lower"))
    (folder.parent / "lower.py").write_text("raise SystemExit('imported')")
    with pytest.raises(TransformNotFound, match=r"there is no transform .* in steps/") as refusal:
        catalog.find(name)
    assert refusal.value.exit_code == 2


def test_a_near_name_is_suggested(folder: Path, catalog: Catalog) -> None:
    """With the commands that help."""
    (folder / "lower_email.py").touch()
    with pytest.raises(TransformNotFound) as refusal:
        catalog.find("lower_mail")
    assert str(refusal.value) == (
        "there is no transform 'lower_mail' in steps/. Did you mean lower_email? "
        "See them with: backfill list. Make it with: "
        "backfill new lower_mail --table TABLE --column COLUMN"
    )


def test_a_name_of_two_files(folder: Path, catalog: Catalog) -> None:
    """Which one is meant is not guessed."""
    (folder / "lower.py").write_text(LOWER.format(name="lower"))
    (folder / "lower.json").write_text('{"table": "users", "set": {"a": 1}}')
    with pytest.raises(DeclarationError, match=r"steps/ has lower.py and lower.json; a name is one file: delete one"):
        catalog.find("lower")


@pytest.mark.parametrize(
    ("source", "kind", "told"),
    [
        ("", TransformNotFound, "steps/lower.py does not declare a transform called lower"),
        ("lower = 1", TransformNotFound, "the file, the function and the name are one word"),
        (LOWER.format(name="upper"), TransformNotFound, "does not declare a transform called lower"),
        ("def lower(users): ...", TransformNotFound, "does not declare a transform called lower"),
        ("import nothing_of_that_name", DeclarationError, "steps/lower.py cannot be imported: .*lower.py, line 1"),
        ("def lower(:", DeclarationError, "steps/lower.py cannot be imported: .*line 1: SyntaxError"),
        ("raise ValueError('pa55word')", DeclarationError, "cannot be imported: .*line 1: ValueError$"),
        (LOWER.format(name="Lower"), DeclarationError, "a transform's name is one word"),
    ],
)
def test_a_file_that_is_no_transform(
    folder: Path, catalog: Catalog, source: str, kind: type[BackfillError], told: str
) -> None:
    """The message says what the file lacks, and where; exit code 2."""
    (folder / "lower.py").write_text(source)
    with pytest.raises(kind, match=told) as refusal:
        catalog.find("lower")
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("package", ["missing", "missing.deeper", "steps.missing"])
def test_a_package_that_is_not_there(folder: Path, package: str) -> None:
    """With the command that makes it, and the setting that names another."""
    with pytest.raises(TransformNotFound, match=f"there is no package '{package}' here. Make one with: backfill init"):
        Catalog(package, [folder.parent]).find("lower")


def test_a_module_is_no_package(folder: Path) -> None:
    """One file with all transforms in it."""
    (folder.parent / "single_steps.py").touch()
    with pytest.raises(TransformNotFound, match="there is no package 'single_steps'"):
        Catalog("single_steps", [folder.parent]).find("lower")
