"""A stage on a fresh database, reached by a URL that holds a password where the database has any."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from backfill.command import reconnection
from backfill.rows import cutter
from tests.quiet.canaries import IN_QUERY, PASSWORD
from tests.quiet.sinks import Sinks
from tests.quiet.stage import Stage
from tests.workspace import open_workspace

USER = "quiet"
SETTINGS = {"ATTEMPTS": "1", "LOCK_SECONDS": "0.05", "BATCH_SIZE": "4", "MAX_BATCH_SIZE": "4"}


@pytest.fixture
def stage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Give a stage on the database that the parameter names."""
    monkeypatch.setattr(reconnection, "ATTEMPTS", 2)
    url = with_password(request.getfixturevalue(request.param))
    for workspace in open_workspace(tmp_path, url, monkeypatch):
        for name, value in SETTINGS.items():
            monkeypatch.setenv(f"BACKFILL_{name}", value)
        monkeypatch.setattr(cutter, "MOST_IN_GROUPS", cutter.MOST_IN_GROUPS)  # one of the paths lowers it
        yield Stage(workspace, Sinks())
        workspace.engine.dispose()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # PyMySQL leaves the socket of a connection that failed to be closed by this


def with_password(url: sa.URL) -> sa.URL:
    """The same database, by an account whose password is a canary, with another one among the URL's options."""
    match url.get_backend_name():
        case "postgresql":  # tests' servers trust whoever comes by their socket
            return url.set(password=PASSWORD).update_query_dict({"sslpassword": IN_QUERY})
        case "mysql":
            _make_user(url)
            return url.set(username=USER, password=PASSWORD).update_query_dict({"program_name": IN_QUERY})
    return url


def _make_user(url: sa.URL) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE USER IF NOT EXISTS {USER}@'localhost' IDENTIFIED BY '{PASSWORD}'")
        connection.exec_driver_sql(f"GRANT ALL ON {url.database}.* TO {USER}@'localhost'")
