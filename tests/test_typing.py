"""Types: what mypy, and pyright where it is installed, accept, and the mistakes that each of them reports."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.typing.mistakes import HEAD, MISTAKES

PROJECT = Path(__file__).parent.parent
API = PROJECT / "tests" / "typing" / "api.py"


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
