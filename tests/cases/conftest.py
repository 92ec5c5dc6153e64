"""Databases of a case: fresh ones, with its facts in them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cases.harness import Case
from tests.conftest import fresh_database
from tests.faults.workloads import open_engine

Prepare = Callable[[Case, str], sa.Engine]


@pytest.fixture
def prepare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Prepare]:
    """Give a function that loads the facts of a case into a fresh database, as often as it is called."""
    with ExitStack() as stack:

        def prepare(case: Case, database: str) -> sa.Engine:
            engine = stack.enter_context(_fresh_engine(request, tmp_path, database))
            case.load(engine, database)
            return engine

        yield prepare


@contextmanager
def _fresh_engine(request: pytest.FixtureRequest, folder: Path, database: str) -> Iterator[sa.Engine]:
    if database == "sqlite":
        yield open_engine(sa.URL.create("sqlite", database=str(folder / f"{len(list(folder.iterdir()))}.db")))
        return
    for url in fresh_database(request.getfixturevalue(f"{database}_server")):
        yield open_engine(url)
