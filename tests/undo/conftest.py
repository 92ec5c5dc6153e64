"""Fixtures for undo."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.faults.conftest import new_url, server_url  # noqa: F401  # fixtures
from tests.faults.workloads import open_engine


@pytest.fixture
def pooled(database_url: sa.URL) -> Iterator[sa.Engine]:
    """Give an engine that keeps its connections, as an application's does."""
    engine = open_engine(database_url, pool=sa.QueuePool)
    yield engine
    engine.dispose()
