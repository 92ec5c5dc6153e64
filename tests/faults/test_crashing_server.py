"""A server that is killed in the midst of a run has kept batches and their checkpoints together, or lost both."""

from __future__ import annotations

import pytest

from tests.conftest import excused
from tests.faults.clusters import CLUSTERS, MariaDBCluster
from tests.faults.crashing_server import finish_crashes, start_crashes


@pytest.mark.parametrize("name", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in CLUSTERS])
def test_a_killed_server_loses_and_doubles_nothing(name: str) -> None:
    """SIGKILL of the server at random moments of one run, which goes on each time."""
    with excused(name):
        CLUSTERS[name].find_programs()
    found = finish_crashes(start_crashes(name, rows=2_000, kills=2, batch=50))
    assert found.is_exact, found
    assert found.kills == 2, found


@pytest.mark.mariadb
def test_a_server_that_forgets_is_found_out() -> None:
    """It answers before the disk has it: what it forgets is told, and no batch comes apart from its checkpoint."""
    with excused("mariadb"):
        MariaDBCluster.find_programs()
    found = finish_crashes(start_crashes("mariadb", rows=2_000, kills=1, batch=50, seed=0, careless=1))
    assert (found.forgotten, found.is_exact) == (1, False), found
    assert (found.lost, found.doubled) == (0, 0), found
