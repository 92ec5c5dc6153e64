"""Newcomer: the tutorial from `pip install` to its last line, timed, `python -m tests.docs.newcomer`.

In a virtual environment that holds nothing, with the packages that the page has installed and no others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import click

from tests.docs.page import Page
from tests.docs.scratch import PROJECT, Scratch


def main() -> None:
    """Follow the page, and print how long each chapter took."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        venv.create(environment, with_pip=True)
        wheel = _wheel(Path(folder))
        scratch = Scratch(Path(folder) / "project", _shell(environment, wheel), installs=True)
        page = Page.read(PROJECT / "docs" / "tutorial.md")
        began = time.perf_counter()
        for chapter in page.chapters():
            started = time.perf_counter()
            scratch.follow(chapter)
            click.echo(f"{time.perf_counter() - started:6.1f} s  {chapter.name}")
        click.echo(f"{time.perf_counter() - began:6.1f} s  from an empty folder to two gated backfills")


def _wheel(folder: Path) -> Path:
    """What a reader would get from the package index, built from a copy, since building leaves its traces."""
    source = folder / "source"
    shutil.copytree(PROJECT / "backfill", source / "backfill")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)]
    subprocess.run(command, check=True)
    (built,) = folder.glob("*.whl")
    return built


def _shell(environment: Path, wheel: Path) -> dict[str, str]:
    """That environment's programs first, and `backfill` from the wheel."""
    return {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": "",
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_QUIET": "2",
    }


if __name__ == "__main__":
    main()
