"""Databases that the tests of one form keep, filled afresh for each test."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.forms import library as library_tables
from tests.forms import shop as shop_tables
from tests.forms import town as town_tables
from tests.kept import EACH_DATABASE, keep, refill


@pytest.fixture(scope="module", params=EACH_DATABASE)
def kept_town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Keep the tables of things and people."""
    yield from keep(request, tmp_path_factory, town_tables.metadata.create_all)


@pytest.fixture
def town(kept_town: sa.Engine) -> sa.Engine:
    """Give a database of four people, and of things with values of every type."""
    refill(kept_town, town_tables.ROWS)
    return kept_town


@pytest.fixture(scope="module", params=EACH_DATABASE)
def kept_shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Keep the tables of users, admins and orders."""
    yield from keep(request, tmp_path_factory, shop_tables.metadata.create_all)


@pytest.fixture
def shop(kept_shop: sa.Engine) -> sa.Engine:
    """Give a database of five users, two admins and three orders."""
    refill(kept_shop, shop_tables.ROWS)
    return kept_shop


@pytest.fixture(scope="module", params=EACH_DATABASE)
def kept_library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Keep the tables of books and of what belongs to them."""
    yield from keep(request, tmp_path_factory, library_tables.metadata.create_all)


@pytest.fixture
def library(kept_library: sa.Engine) -> sa.Engine:
    """Give a database of five books, of three loans and of rows that changes find there already."""
    refill(kept_library, library_tables.ROWS)
    return kept_library
