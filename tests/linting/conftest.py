"""Projects of a few files that are read, not run."""

from pathlib import Path

import pytest

from tests.linting.pages import Pages


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    """Give an empty project, as the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "migrations" / "env.py").touch()
    return Pages(tmp_path)
