"""The house measures, and the layers."""

import ast
import configparser
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
MODULES = sorted((PROJECT / "backfill").rglob("*.py"))
IDS = [str(path.relative_to(PROJECT)) for path in MODULES]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(tree: ast.AST) -> Iterator[Definition]:
    """Every function, method and class that is defined in a module, however deep."""
    return (node for node in ast.walk(tree) if isinstance(node, Definition))


def public(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """What others may call: names without an underscore, and the methods of such classes."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node)


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_a_module_is_short_and_explained(path: Path) -> None:
    """At most 300 lines, a docstring at its top, and one for every public name."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(tree)
    silent = [node.name for node in public(tree) if not ast.get_docstring(node)]
    assert silent == []


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_a_function_is_short(path: Path) -> None:
    """At most 40 lines from its first to its last."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in definitions(tree) if not isinstance(node, ast.ClassDef)]
    spans = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: lines for name, lines in spans.items() if lines > 40} == {}


def test_most_are_much_shorter() -> None:
    """Half of the modules have at most 100 lines, half of the functions at most 10."""
    lines = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES)
    functions = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in MODULES
        for node in definitions(ast.parse(path.read_text(encoding="utf-8")))
        if not isinstance(node, ast.ClassDef)
    )
    assert lines[len(lines) // 2] <= 100
    assert functions[len(functions) // 2] <= 10


def test_no_name_says_nothing() -> None:
    """No module is called after being a collection of things."""
    assert {path.stem for path in MODULES} & {"utils", "helpers", "core", "base", "manager", "common", "misc"} == set()


def test_imports_point_down() -> None:
    """The contracts in setup.cfg are kept."""
    program = "import sys; from importlinter.cli import lint_imports_command as main; sys.exit(main(['--no-cache']))"
    ended = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "0 broken" in ended.stdout


def test_the_wheel_holds_the_package_alone() -> None:
    """A project has migrations/, transforms/ and tests/ of its own, which ours must not hide."""
    settings = configparser.ConfigParser()
    settings.read(PROJECT / "setup.cfg", encoding="utf-8")
    assert settings["options"]["packages"] == "find:"
    patterns = settings["options.packages.find"]["include"].split()
    folders = [path.name for path in PROJECT.iterdir() if path.is_dir() and path.name.isidentifier()]
    assert {"backfill", "migrations", "tests", "transforms"} <= set(folders)
    assert [name for name in folders if any(fnmatch(name, pattern) for pattern in patterns)] == ["backfill"]


def test_every_folder_of_the_package_is_packed() -> None:
    """`find:` takes only folders with an __init__.py."""
    folders = {path.parent for path in MODULES}
    assert [folder.name for folder in folders if not (folder / "__init__.py").is_file()] == []
