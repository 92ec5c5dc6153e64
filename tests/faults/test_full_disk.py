"""A disk that is full stops a run where it stands; when there is room again, it goes on."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import backfill
from backfill import Rows
from backfill.errors import Paused
from backfill.status import Status
from tests.conftest import excused
from tests.faults.clusters import CLUSTERS, at_work
from tests.faults.workloads import open_engine, outcome, run_on, settings
from tests.servers.throwaway import new_directory

MEGABYTE = 2**20
SIZE = {"postgresql": 160, "mariadb": 320}
"""Megabytes of a small disk, of which an empty server takes a half."""
ROWS, BATCH = 4_000, 200
FREE = {"postgresql": 4, "mariadb": 30}
"""Megabytes that are left when the run begins; it needs more."""
PAPER = random.Random(1).randbytes(2_000)
"""So that it cannot be compressed."""

papers = sa.Table(
    "papers",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("text", sa.LargeBinary(3_000)),
    mysql_engine="InnoDB",
)


@backfill.transform("papers", keep_undo=True)
def fill_papers(papers: Rows) -> dict[str, Any]:
    """Two kilobytes for each."""
    return {"n": papers.c.n + 1, "text": PAPER}


@pytest.fixture
def small_disk(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Give a directory on a disk of its own, which other users may enter."""
    place = new_directory("disk")
    size = f"size={SIZE[request.getfixturevalue('name')]}m"
    mounting = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mounting, check=False, capture_output=True).returncode:
        place.rmdir()
        pytest.skip("only root can mount a small disk")
    (place / "home").mkdir()
    yield place
    subprocess.run(["umount", str(place)], check=True)
    place.rmdir()


@pytest.mark.parametrize("name", [pytest.param(name, marks=getattr(pytest.mark, name)) for name in CLUSTERS])
def test_a_full_disk_pauses_the_run(name: str, small_disk: Path) -> None:
    """What was committed stands, and the same call goes on behind it."""
    with excused(name):
        CLUSTERS[name].find_programs()
    small = settings(batch_size=BATCH, max_batch_size=BATCH)
    with at_work(CLUSTERS[name], small_disk / "home") as cluster:
        engine = open_engine(cluster.url)
        make_papers(engine)
        filler = small_disk / "filler"
        fill_up(filler, FREE[name] * MEGABYTE)
        with pytest.raises(Paused, match="cannot be written now"):
            run_on(engine, fill_papers, small)
        done = outcome(engine, "fill_papers")[1]
        assert 0 < done < ROWS
        assert filled(engine) == done
        filler.unlink()
        run_on(engine, fill_papers, small)
        assert outcome(engine, "fill_papers") == (Status.COMPLETED, ROWS)
        assert filled(engine) == ROWS


def test_a_file_that_may_not_grow_pauses_the_run(sqlite_url: sa.URL) -> None:
    """SQLite's own limit is told as a full disk is."""
    engine = open_engine(sqlite_url)
    make_papers(engine)
    small = settings(batch_size=BATCH, max_batch_size=BATCH)
    pages = 4_096

    @sa.event.listens_for(engine, "connect")
    def _limit(connection: Any, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {limit[0]}")

    limit = [pages // 4]
    with pytest.raises(Paused, match="cannot be written now"):
        run_on(engine, fill_papers, small)
    done = outcome(engine, "fill_papers")[1]
    assert 0 < done < ROWS
    assert filled(engine) == done
    limit[0] = 4 * pages
    run_on(engine, fill_papers, small)
    assert outcome(engine, "fill_papers") == (Status.COMPLETED, ROWS)
    assert filled(engine) == ROWS


def make_papers(engine: sa.Engine) -> None:
    """Make papers without a text."""
    papers.create(engine)
    with engine.begin() as connection:
        connection.execute(papers.insert(), [{"id": key, "n": 0} for key in range(ROWS)])


def filled(engine: sa.Engine) -> int:
    """How many rows were filled once."""
    with engine.connect() as connection:
        once = sa.select(sa.func.count()).where(papers.c.n == 1, papers.c.text.is_not(None))
        return int(connection.execute(once).scalar_one())


def fill_up(filler: Path, free: int) -> None:
    """Leave so many bytes of the disk."""
    found = os.statvfs(filler.parent)
    with filler.open("wb") as file:
        file.write(bytes(found.f_bavail * found.f_frsize - free))
