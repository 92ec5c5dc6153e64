"""The story of the README, told by `backfill demo`, in a copy of the checkout."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give what the demo needs of a checkout, in a folder of its own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("migrations", "transforms"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def told(checkout: Path) -> "subprocess.CompletedProcess[str]":
    """Give what the demo tells, with a setting of the caller's own and an earlier database in its way."""
    (checkout / "backfill-demo.db").write_text("an earlier one")
    return run_demo(checkout, "3000", BACKFILL_DATABASE_URL="sqlite:////nowhere/other.db")


def run_demo(folder: Path, rows: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the demo in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "backfill", "demo", "--rows", rows],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_story_is_told(told: "subprocess.CompletedProcess[str]") -> None:
    """The commands, the users, the run and what to try next; and it ends well."""
    assert told.returncode == 0, told.stdout + told.stderr
    for line in ("$ alembic upgrade 0002", "making 3,000 users", "$ alembic upgrade head", "$ backfill status"):
        assert line in told.stdout
    assert re.search(r"default_skills +completed +3,000", told.stdout)
    assert "User0 Number0" in told.stdout
    assert "What to try next:" in told.stdout


def test_the_database_is_at_head(told: "subprocess.CompletedProcess[str]", checkout: Path) -> None:
    """Every user has the skills and the names, in a file of the demo's own."""
    engine = sa.create_engine(f"sqlite:///{checkout}/backfill-demo.db")
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT skills, first_name, last_name FROM users ORDER BY id").all()
    engine.dispose()
    assert len(rows) == 3_000
    assert tuple(rows[7]) == ('[{"name": "Unspecified", "level": "beginner"}]', "User7", "Number7")
    assert {row[0] for row in rows} == {rows[7][0]}


def test_what_to_try_next_works(told: "subprocess.CompletedProcess[str]", checkout: Path) -> None:
    """Each of the commands it recommends can be pasted into the shell, in their order."""
    _, _, rest = told.stdout.partition("look before you run:")
    commands = [line.partition("     ")[0] for line in map(str.strip, rest.splitlines()) if line.startswith("DATABASE")]
    assert len(commands) == 4
    codes = {}
    for command in commands:
        ended = subprocess.run(command, shell=True, cwd=checkout, capture_output=True, text=True, check=False)
        codes[command.split("/")[-1]] = ended.returncode
        assert "Traceback" not in ended.stderr, ended.stderr
    assert [bool(code) for code in codes.values()] == [False, True, False, False]  # the second stops at the gate


def test_elsewhere_it_says_where_to_go(tmp_path: Path) -> None:
    """Outside of a checkout there is nothing to show, and nothing is written."""
    ended = run_demo(tmp_path, "20")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "run it in a checkout of backfill" in ended.stderr
    assert list(tmp_path.iterdir()) == []
