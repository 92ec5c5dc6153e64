"""Fixtures that give every test a real database of its own, and say loudly which database was not tested."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

from tests.servers import Server, Unavailable, mariadb, postgresql
from tests.workspace import Workspace, open_workspace

SERVERS: dict[str, ModuleType] = {"postgresql": postgresql, "mariadb": mariadb}
DATABASES = ("sqlite", *SERVERS)
REQUIRABLE = (*DATABASES, "pgbouncer")
REQUIRE_VARIABLE = "BACKFILL_TEST_REQUIRE"
NOT_TESTED = "NOT TESTED: "


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in DATABASES])
def database_url(request: pytest.FixtureRequest) -> sa.URL:
    """Give the URL of a fresh, empty database: the test runs once on each database."""
    url: sa.URL = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def engine(database_url: sa.URL) -> Iterator[sa.Engine]:
    """Give an engine on a fresh, empty database: the test runs once on each database."""
    engine = sa.create_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def workspace(tmp_path: Path, database_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """Give an empty project on a fresh database, as the working directory: the test runs once on each database."""
    yield from open_workspace(tmp_path, database_url, monkeypatch)


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in SERVERS])
def server_workspace(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    """Give an empty project, once on each of the databases that run beside the tests."""
    yield from open_workspace(tmp_path, request.getfixturevalue(f"{request.param}_url"), monkeypatch)


@pytest.fixture
def sqlite_workspace(tmp_path: Path, sqlite_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """Give an empty project on a fresh SQLite file, as the working directory."""
    yield from open_workspace(tmp_path, sqlite_url, monkeypatch)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> sa.URL:
    """Give the URL of a fresh SQLite file."""
    return sa.URL.create("sqlite", database=str(tmp_path / "test.db"))


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[sa.URL]:
    """Give the URL of a fresh PostgreSQL database."""
    yield from fresh_database(postgresql_server)


@pytest.fixture
def mariadb_url(mariadb_server: Server) -> Iterator[sa.URL]:
    """Give the URL of a fresh MariaDB database."""
    yield from fresh_database(mariadb_server)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """Run one PostgreSQL server for the whole session."""
    yield from running_server("postgresql")


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """Run one MariaDB server for the whole session."""
    yield from running_server("mariadb")


def fresh_database(server: Server) -> Iterator[sa.URL]:
    """Create a database, and drop it afterwards."""
    url = server.create_database()
    yield url
    server.drop_database(url)


def running_server(name: str) -> Iterator[Server]:
    """Start a database server, and stop it afterwards."""
    yield from running(name, SERVERS[name].start)


def running(name: str, start: Callable[[], Server]) -> Iterator[Server]:
    """Start a server, and stop it afterwards."""
    with excused(name):
        server = start()
    yield server
    server.stop()


@contextmanager
def excused(name: str) -> Iterator[None]:
    """Where a database is not to be had, skip the test or fail it, as the environment asks."""
    try:
        yield
    except Unavailable as why:
        reason = f"{NOT_TESTED}{name} ({why})"
        if name in required_databases():
            pytest.fail(f"{reason}, but {REQUIRE_VARIABLE} asks for it", pytrace=False)
        pytest.skip(reason)


def required_databases() -> set[str]:
    """Read the databases without which a test run counts as failed."""
    return set(filter(None, os.environ.get(REQUIRE_VARIABLE, "").replace(" ", "").split(",")))


def pytest_configure() -> None:
    """Refuse a misspelt requirement, which would otherwise require nothing."""
    if unknown := required_databases() - set(REQUIRABLE):
        known = ", ".join(REQUIRABLE)
        raise pytest.UsageError(f"{REQUIRE_VARIABLE} names {', '.join(sorted(unknown))}; known: {known}")


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a single database, so that `-m postgresql` selects them too."""
    for item in items:
        for name in DATABASES:
            if f"{name}_url" in getattr(item, "fixturenames", ()):
                item.add_marker(name)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly which database was not tested, and why."""
    reasons = {str(report.longrepr[-1]) for report in terminalreporter.stats.get("skipped", ())}
    for reason in sorted(reason.removeprefix("Skipped: ") for reason in reasons):
        if reason.startswith(NOT_TESTED):
            terminalreporter.section(reason, red=True, bold=True)
