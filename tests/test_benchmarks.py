"""The benchmarks, on so few rows that only what they do is tested, not how fast."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from backfill.catalog import Catalog
from benchmarks import jobs
from benchmarks.admission import is_here
from benchmarks.contenders.ours import TRANSFORMS
from benchmarks.jobs import Job, NotFilled
from benchmarks.load import Latencies, Transaction, logged
from benchmarks.measuring import Sample, Standing
from benchmarks.report import Spread, Table
from benchmarks.sections import SECTIONS, SET_BASED
from benchmarks.tables import Recipe, fresh_users, is_empty

PROJECT = Path(__file__).parent.parent
JOBS = [jobs.CONSTANT, jobs.NAMES, jobs.SKILLS, jobs.FIRST_NAMES]
EXTRAS = {"delembic": "delembic", "Django": "django", "django-maintenance-tasks": "maintenance_tasks"}


def benchmark(*arguments: str, module: str = "benchmarks") -> "subprocess.CompletedProcess[str]":
    """Run the benchmarks' one command, or another."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Give the JSON of a smoke run; a contender that leaves a row empty ends it with an error."""
    file = tmp_path_factory.mktemp("benchmarks") / "figures.json"
    ended = benchmark("--smoke", "--json", str(file))
    assert ended.returncode == 0, ended.stderr
    return json.loads(file.read_text())


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("postgresql", "mariadb")])
def server_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database on each of the servers."""
    url: sa.URL = request.getfixturevalue(f"{request.param}_url")
    return url.render_as_string(hide_password=False)


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    """Give an empty SQLite file."""
    return sa.create_engine(f"sqlite:///{tmp_path}/bench.db", poolclass=NullPool)


def rows_of(document: Any) -> dict[tuple[str, str], Any]:
    """All rows, by their section and their name."""
    return {(table["section"], row["name"]): row for table in document["tables"] for row in table["rows"]}


def test_every_section_is_measured(document: Any) -> None:
    """No row is left out in silence: it has figures, or a reason."""
    expected = {(section.name, row.name) for section in SECTIONS for row in section.rows if not row.is_large}
    found = rows_of(document)
    assert set(found) == expected
    assert [name for name, row in found.items() if bool(row["samples"]) is bool(row["missing"])] == []


def test_the_servers_are_measured(server_url: str) -> None:
    """Each of them has loops of its own, and keys of its own kind."""
    ended = benchmark("--smoke", server_url, "--only", "row-by-row", "uuid-key", "composite-key", "documents")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("\nbackfill, batches of 10,000 ") == 4


def test_no_edit_is_lost(server_url: str, tmp_path: Path) -> None:
    """Somebody who writes the column that is rewritten finds all edits again."""
    file = tmp_path / "edits.json"
    ended = benchmark(server_url, "--rows", "2000", "--repeat", "1", "--json", str(file), module="benchmarks.edits")
    assert ended.returncode == 0, ended.stderr
    outcomes = {outcome["name"]: outcome for outcome in json.loads(file.read_text())}
    assert outcomes["backfill"]["edits"] > 0
    assert [name for name, outcome in outcomes.items() if outcome["lost"] and "without" not in name] == []


def test_only_what_cannot_run_is_missing(document: Any) -> None:
    """Two workers need a database with two writers, and the peers need the `bench` extra."""
    missing = {place for place, row in rows_of(document).items() if row["missing"]}
    absent = tuple(name for name, module in EXTRAS.items() if find_spec(module) is None)
    unexpected = {place for place in missing if not place[1].startswith(("backfill, 2 workers", *absent))}
    assert unexpected == {("composite-key", "hand-written loop")}


def test_the_json_has_ratios_and_their_noise(document: Any) -> None:
    """A program finds each figure, its ratio to the yardstick, and the machine's circumstances."""
    row = rows_of(document)["row-by-row", "ORM loop"]
    assert set(row) == {"name", "table_rows", "samples", "figure", "ratio", "backfill_is", "missing"}
    assert set(row["ratio"]) == set(row["figure"]) == {"median", "min", "max"}
    assert set(row["samples"][0]) == {"figure", "seconds", "cpu_seconds", "megabytes"}
    assert document["options"] == {"rows": 2_000, "repeat": 1}
    assert {"cpus", "machine", "python", "packages"} == set(document["machine"])


@pytest.mark.parametrize("job", JOBS, ids=[job.name for job in JOBS])
def test_rows_that_are_not_filled_are_noticed(engine: sa.Engine, job: Job) -> None:
    """A contender that does nothing is refused its time."""
    with fresh_users(engine, Recipe(), 10) as users, pytest.raises(NotFilled, match="10 of 10 rows"):
        job.check(engine, users, 10)


def test_one_wrong_row_is_noticed(engine: sa.Engine) -> None:
    """All names are looked at, not only whether there is one."""
    with fresh_users(engine, Recipe(), 10) as users:
        first = sa.func.substr(users.c.full_name, 1, sa.func.instr(users.c.full_name, " ") - 1)
        last = sa.func.substr(users.c.full_name, sa.func.instr(users.c.full_name, " ") + 1)
        with engine.begin() as connection:
            connection.execute(users.update().values(first_name=first, last_name=last))
        jobs.NAMES.check(engine, users, 10)
        with engine.begin() as connection:
            connection.execute(users.update().where(users.c.number == 7).values(last_name="King"))
        with pytest.raises(NotFilled, match="1 of 10 rows"):
            jobs.NAMES.check(engine, users, 10)


def test_a_database_with_tables_is_refused(engine: sa.Engine) -> None:
    """All tables are dropped in the end, so there must be none before."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE precious (id integer)")
    ended = benchmark("--smoke", str(engine.url))
    assert ended.returncode == 1
    assert "name an empty one" in ended.stderr
    assert not is_empty(engine)


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("sqlite:///bench.db", True),
        ("postgresql+psycopg://postgres@127.0.0.1/bench", True),
        ("postgresql+psycopg://postgres@/bench?host=/run/postgresql", True),
        ("mysql+pymysql://root@/bench?unix_socket=/run/mysqld/mysqld.sock", True),
        ("postgresql+psycopg://app@db.example.com/bench", False),
        ("postgresql+psycopg://app@/bench?host=db.example.com", False),
    ],
)
def test_only_servers_on_this_machine_are_loaded(url: str, is_ours: bool) -> None:
    """By loopback or by a socket."""
    assert is_here(sa.make_url(url)) is is_ours


def test_the_load_is_read_from_its_log(tmp_path: Path) -> None:
    """A transaction's time counts from when it was due, whoever kept it waiting."""
    (tmp_path / "pgbench_log.1").write_text("0 1 250000 0 1000 500000 3\n1 1 1000000 0 1002 0 900000\n")
    found = sorted(logged(tmp_path), key=lambda transaction: transaction.due)
    assert found == [Transaction(1000.25, 0.25), Transaction(1001.0, 1.0)]
    felt = Latencies.between([*found, Transaction(2000, 9)], 1000, 1001)
    assert (felt.per_second, felt.max) == (1.0, 1000)


def test_ratios_are_taken_turn_by_turn() -> None:
    """A slow turn slows both, and does not count twice."""
    yardstick, ours = (Standing(row, 10) for row in SET_BASED.rows if row.name in ("one UPDATE", "backfill"))
    yardstick.samples = [Sample(figure, 1, 1, 1) for figure in (100, 50, 100)]
    ours.samples = [Sample(figure, 1, 1, 1) for figure in (80, 40, 90)]
    table = Table("sqlite", "3", SET_BASED, [yardstick, ours])
    assert table.ratio(ours) == Spread(0.8, 0.8, 0.9)
    assert table.lead(yardstick) == Spread(0.8, 0.8, 0.9)


def test_the_transforms_are_a_catalog() -> None:
    """A worker in another process finds each by its name."""
    catalog = Catalog(TRANSFORMS, [PROJECT])
    names = list(catalog.names())
    assert [catalog.find(name).name for name in names] == names


def test_the_chart_is_drawn(tmp_path: Path) -> None:
    """As PNG or SVG, by the file's ending."""
    pytest.importorskip("matplotlib")
    for name in ("chart.png", "chart.svg"):
        ended = benchmark("--smoke", "--only", "documents", "--chart", str(tmp_path / name))
        assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "chart.svg").read_text()
