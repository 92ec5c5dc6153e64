"""Plugin: what pytest knows of `backfill.testing` unasked; it is loaded in every project, so it imports little."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine


@pytest.fixture
def backfill_engine() -> Engine | None:
    """The database on which `laws(...)` are proved: a throw-away SQLite file with tables made from the models.

    Override it to have them proved on a schema of yours: return an engine whose tables are there, and empty.
    """
    return None
