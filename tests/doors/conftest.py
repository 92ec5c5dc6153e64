"""Fixtures that keep one test's project out of the next one's way."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import SERVERS
from tests.doors.projects import Project, make_project

BATCH = 10
USERS = 45


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the folder of a project that does not exist yet; whatever is imported from it is forgotten afterwards."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    for variable in ("BACKFILL_BATCH_SIZE", "BACKFILL_MAX_BATCH_SIZE"):
        monkeypatch.setenv(variable, str(BATCH))
    monkeypatch.setenv("BACKFILL_BATCH_SECONDS", "60")  # on a slow machine batches would shrink, which tests count
    forget_modules()
    with logging_restored():
        yield folder
    forget_modules()


@pytest.fixture
def project(root: Path, database_url: sa.URL) -> Project:
    """Give a project with the usual history, on each database, at its first revision with users in it."""
    return begun(make_project(root, database_url))


@pytest.fixture
def sqlite_project(root: Path, sqlite_url: sa.URL) -> Project:
    """Give the same on SQLite alone."""
    return begun(make_project(root, sqlite_url))


@pytest.fixture
def postgresql_project(root: Path, postgresql_url: sa.URL) -> Project:
    """Give the same on PostgreSQL alone."""
    return begun(make_project(root, postgresql_url))


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in SERVERS])
def server_project(root: Path, request: pytest.FixtureRequest) -> Project:
    """Give the same on the databases that are servers."""
    return begun(make_project(root, request.getfixturevalue(f"{request.param}_url")))


def begun(project: Project) -> Project:
    """Give the project its history, upgrade to the first revision and add users."""
    project.add_story()
    project.upgrade("users")
    project.add_users(USERS)
    return project


def forget_modules() -> None:
    """Forget the modules that every project has under the same names."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("app", "fate", "models", "transforms"):
            del sys.modules[name]
    sys.path_importer_cache.pop(".", None)  # Alembic adds "." to the path, and Python remembers which folder it was


@contextmanager
def logging_restored() -> Iterator[None]:
    """Undo what the fileConfig() of a stock env.py does to the logging of the whole process."""
    root = logging.getLogger()
    loggers = [logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    before = [(logger, logger.disabled, logger.level, logger.handlers[:]) for logger in (root, *loggers)]
    yield
    for logger, disabled, level, handlers in before:
        logger.disabled, logger.handlers[:] = disabled, handlers
        logger.setLevel(level)
