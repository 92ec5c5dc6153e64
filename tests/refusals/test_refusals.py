"""What is bad is refused, by its code, with exit code 2, without a traceback, before anything is written."""

from __future__ import annotations

import pytest

from tests.refusal import contents, execute
from tests.refusals.definitions import DEFINITIONS, declared
from tests.refusals.documents import DOCUMENTS
from tests.refusals.projects import COMMANDS, FILES, TABLES, VARIABLES
from tests.workspace import Workspace

PEOPLE = """CREATE TABLE people (
    id INTEGER PRIMARY KEY, name VARCHAR(200) NOT NULL, nickname VARCHAR(60), small SMALLINT, seen TIMESTAMP,
    document JSON, shout VARCHAR(200) GENERATED ALWAYS AS (upper(name)) STORED)"""
ORDERS = "CREATE TABLE orders (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL, cents INTEGER)"
SOUND = declared()


@pytest.fixture
def project(sqlite_workspace: Workspace) -> Workspace:
    """Give a project with two tables, people among them, and no transform yet."""
    execute(sqlite_workspace.engine, PEOPLE, ORDERS, "INSERT INTO people (id, name) VALUES (1, 'Ada'), (2, 'Alan')")
    sqlite_workspace.write("transforms/__init__.py", "")
    return sqlite_workspace


def refuse(project: Workspace, code: str, *words: str) -> None:
    """Go through the command, and find the code in what it says."""
    before = contents(project.engine)
    result = project.run(*(words or ("run", "fill")))
    told = result.output + result.stderr
    assert "Traceback" not in told
    assert any(f"[{each}]" in told for each in code.split("|")), told[:2_000]
    assert result.exit_code == 2
    assert contents(project.engine) == before


def write(project: Workspace, file: str, text: str) -> None:
    """Write a file as it is."""
    path = project.folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


@pytest.mark.parametrize(("code", "module"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_a_definition(project: Workspace, code: str, module: str) -> None:
    """In Python."""
    write(project, "transforms/fill.py", module)
    refuse(project, code)


@pytest.mark.parametrize(("code", "document"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document(project: Workspace, code: str, document: str) -> None:
    """In JSON."""
    write(project, "transforms/fill.json", document)
    refuse(project, code)


@pytest.mark.parametrize(("code", "statements"), TABLES.values(), ids=TABLES)
def test_a_table(project: Workspace, code: str, statements: list[str]) -> None:
    """The definition is sound, and the table is not."""
    write(project, "transforms/fill.py", SOUND)
    execute(project.engine, *statements)
    refuse(project, code)


@pytest.mark.parametrize(("code", "name", "value"), VARIABLES.values(), ids=VARIABLES)
def test_a_setting(project: Workspace, code: str, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the environment, as a text, and the same in pyproject.toml as it is."""
    write(project, "transforms/fill.py", SOUND)
    monkeypatch.setenv(f"BACKFILL_{name.upper()}", value.strip('"'))
    refuse(project, code)
    monkeypatch.delenv(f"BACKFILL_{name.upper()}")
    write(project, "pyproject.toml", f"[tool.backfill]\n{name} = {value}\n")
    refuse(project, code)


@pytest.mark.parametrize(("code", "files"), FILES.values(), ids=FILES)
def test_a_file(project: Workspace, code: str, files: dict[str, str]) -> None:
    """Of the project."""
    write(project, "transforms/fill.py", SOUND)
    for file, text in files.items():
        write(project, file, text)
    refuse(project, code)


@pytest.mark.parametrize(("code", "words"), COMMANDS.values(), ids=COMMANDS)
def test_a_command(project: Workspace, code: str, words: tuple[str, ...]) -> None:
    """Names and options."""
    write(project, "transforms/fill.py", SOUND)
    refuse(project, code, *words)


def test_there_are_many() -> None:
    """As many as are promised, by codes that tell them apart."""
    cases = [*DEFINITIONS.values(), *DOCUMENTS.values(), *TABLES.values(), *VARIABLES.values(), *FILES.values()]
    cases += COMMANDS.values()
    assert len(cases) >= 150
    assert len({case[0] for case in cases}) >= 100
