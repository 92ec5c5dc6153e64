"""Fixtures for faults: an engine that is quick, and more than one database where processes work side by side."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from backfill.running import control
from tests.conftest import DATABASES, SERVERS
from tests.faults.workloads import open_engine
from tests.servers import Server

NewUrl = Callable[[], sa.URL]


@pytest.fixture
def pooled(database_url: sa.URL) -> Iterator[sa.Engine]:
    """Give an engine that keeps its connections, as an application's does."""
    engine = open_engine(database_url, pool=sa.QueuePool)
    yield engine
    engine.dispose()


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in SERVERS])
def server_url(request: pytest.FixtureRequest) -> sa.URL:
    """Give the URL of a fresh database of those that several may write at once."""
    url: sa.URL = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in DATABASES])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    """Give a maker of fresh databases: the test runs once on each database."""
    made: list[sa.URL] = []

    def make_file() -> sa.URL:
        made.append(sa.URL.create("sqlite", database=str(tmp_path / f"{len(made)}.db")))
        return made[-1]

    def make_database() -> sa.URL:
        made.append(server.create_database())
        return made[-1]

    if request.param == "sqlite":
        yield make_file
        return
    server: Server = request.getfixturevalue(f"{request.param}_server")
    yield make_database
    for url in made:
        server.drop_database(url)


@pytest.fixture(autouse=True)
def _rivals_never_insist(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever a rival would wait for stands still until the rival has given up."""
    monkeypatch.setattr(control, "PATIENCE_SECONDS", 0)
