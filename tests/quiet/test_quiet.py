"""Over every error path, on every database where it can happen: no canary in anything that is told."""

from __future__ import annotations

import re

import pytest

from tests.quiet.databases import DATABASES
from tests.quiet.functions import FUNCTIONS
from tests.quiet.projects import PROJECTS
from tests.quiet.sinks import listening
from tests.quiet.stage import ErrorPath, Stage, walk

PATHS = [*FUNCTIONS, *DATABASES, *PROJECTS]


def on_each_database(paths: list[ErrorPath]) -> list[object]:
    """Each path with each database that it can happen on."""
    return [
        pytest.param(f"{database}_url", path, marks=getattr(pytest.mark, database), id=f"{path.name}-{database}")
        for path in paths
        for database in path.databases
    ]


@pytest.mark.parametrize(("stage", "path"), on_each_database(PATHS), indirect=["stage"])
def test_nothing_is_told_of_a_row(
    stage: Stage, path: ErrorPath, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened is told; no value of a row and no password, by whatever way."""
    stage.set_up(path)
    for name, value in path.settings.items():
        monkeypatch.setenv(f"BACKFILL_{name}", value)
    with listening(stage.sinks, capfd):
        walk(stage, path)
    assert stage.sinks.leaks() == {}
    assert re.search(path.told, stage.sinks.text)
