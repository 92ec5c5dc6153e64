"""`laws(...)` and the plugin, as a project of its own meets them."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from backfill.testing.proofs import LAWS

PROJECT = Path(__file__).parents[2]
PLUGIN = ("-p", "no:backfill", "-p", "backfill.testing.plugin")
"""By its module, whether it is installed or not."""

SPLIT = (PROJECT / "transforms" / "split_full_name.py").read_text(encoding="utf-8")
SUITE = 'from backfill.testing import laws\n\ntest_laws = laws("transforms")\n'

Pytest = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project with one transform and one line of tests."""
    write(tmp_path, "transforms/__init__.py", "")
    write(tmp_path, "transforms/split_full_name.py", SPLIT)
    write(tmp_path, "test_transforms.py", SUITE)
    write(tmp_path, "pytest.ini", "[pytest]\nfilterwarnings = error\n")
    return tmp_path


@pytest.fixture
def run_pytest(project: Path) -> Pytest:
    """Give a way to run pytest in it; what it prints is returned."""

    def call(*options: str, code: int = 0, path: tuple[Path, ...] = (), plugins: tuple[str, ...] = PLUGIN) -> str:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (*path, PROJECT)))}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *plugins]
        ended = subprocess.run(
            [*command, *options], cwd=project, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout + ended.stderr

    return call


def write(folder: Path, name: str, text: str) -> None:
    """Write a file of the project."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")


def test_one_line_tests_every_law_of_every_transform(run_pytest: Pytest) -> None:
    """By name, so that one of them can be chosen; those that say nothing of a transform are skipped, and say why."""
    told = run_pytest("-vv", "-rs")
    for law in LAWS:
        assert f"test_laws[split_full_name-{law.name.replace(' ', '-')}]" in told
    assert "it asks is_missing of no JSON column that is NULL" in told
    assert f"{len(LAWS) - 1} passed, 1 skipped" in told


FORGETFUL = '''
    """Fill users.initial."""

    from pydantic import BaseModel, Field
    from sqlalchemy import column, func

    import backfill
    from backfill import Rejected, is_missing


    class FullName(BaseModel):
        full_name: str


    class Initial(BaseModel):
        initial: str = Field(max_length=1)


    @backfill.transform("users", where={where})
    def initial(user: FullName) -> Initial:
        """The first letter."""
        {body}
'''


def write_initial(project: Path, body: str, where: str = 'is_missing("initial")') -> None:
    """Write a transform."""
    write(project, "transforms/initial.py", FORGETFUL.format(body=body, where=where))


def test_a_row_that_nobody_thought_of_is_found(project: Path, run_pytest: Pytest) -> None:
    """It is made as small as can be, and shown with the place in the function."""
    write_initial(project, "return Initial(initial=user.full_name[0])")
    told = run_pytest("-k", "initial-outputs", code=1)
    assert "users row 1: IndexError at transforms/initial.py, line 22" in told
    assert "{'users': [{'full_name': '', 'initial': None}," in told


def test_rows_that_are_rejected_do_not_count(project: Path, run_pytest: Pytest) -> None:
    """A transform may refuse a row, and says so by raising Rejected; other rows are found."""
    write_initial(
        project, 'if not user.full_name: raise Rejected("no name")\n        return Initial(initial=user.full_name[0])'
    )
    assert f"{len(LAWS) - 1} passed" in run_pytest("-k", "initial")


def test_an_answer_that_makes_no_sense_counts(project: Path, run_pytest: Pytest) -> None:
    """It is rejected by us, not by the author."""
    write_initial(project, "return user.full_name and Initial(initial=user.full_name[0])")
    assert "the function returned str; it is declared to return" in run_pytest("-k", "initial-outputs", code=1)


def test_a_broken_law_is_told_without_our_own_lines(project: Path, run_pytest: Pytest) -> None:
    """The message stands for itself, and the rows are below it."""
    write_initial(project, 'return Initial.model_construct(initial="AB")')
    told = run_pytest("-k", "initial-outputs", code=1)
    assert "\ninitial breaks a law (outputs): what is written can be read back through the output model.\n" in told
    assert "the row id = 1 has initial = 'AB' afterwards: Initial says: String should have at most 1 char" in told
    assert "{'full_name': '', 'initial': None}" in told
    assert "backfill/testing" not in told


def test_rows_may_be_given(project: Path, run_pytest: Pytest) -> None:
    """Where none can be made that the condition takes, that is said; with rows it goes on."""
    write_initial(project, "return Initial(initial=user.full_name[:1])", where='func.length(column("state")) > 3')
    told = run_pytest("-k", "initial-batches", code=1)
    assert "initial changed nothing in any of the rows that were made for it: give rows that its where= takes" in told
    rows = '{"initial": [{"full_name": "Ada", "state": "open"}, {"full_name": "Bob", "state": "open"}]}'
    write(project, "test_transforms.py", SUITE.replace(")", f", rows={rows})"))
    assert f"{len(LAWS) - 2} passed, 2 skipped" in run_pytest("-k", "initial")


def test_without_hypothesis_it_says_what_to_install(project: Path, run_pytest: Pytest) -> None:
    """Rows that are given need none."""
    write(project, "conftest.py", "import sys\n\nsys.modules['hypothesis'] = None\n")
    told = run_pytest("-p", "no:hypothesispytest", "-k", "batches", code=1)
    assert "hypothesis, which makes some, is not installed: pip install 'backfill[testing]'" in told
    write(project, "test_transforms.py", SUITE.replace(")", ', rows={"split_full_name": [{"full_name": "A"}]})'))
    assert "1 passed" in run_pytest("-p", "no:hypothesispytest", "-k", "batches")


def test_the_engine_is_the_projects_own_if_it_overrides_the_fixture(project: Path, run_pytest: Pytest) -> None:
    """On tables of its own schema."""
    write(
        project,
        "conftest.py",
        """
        import pytest
        import sqlalchemy as sa

        @pytest.fixture
        def backfill_engine(tmp_path):
            engine = sa.create_engine(f"sqlite:///{tmp_path}/own.db", poolclass=sa.NullPool)
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    "CREATE TABLE users (id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, first_name, last_name)"
                )
            yield engine
            with engine.connect() as connection:
                assert connection.exec_driver_sql("SELECT count(*) FROM backfill_run").scalar() == 0
        """,
    )
    write(project, "test_transforms.py", SUITE.replace(")", ', accept=["synchronous"])'))
    assert f"{len(LAWS) - 1} passed" in run_pytest()


HEAVY = ("sqlalchemy", "pydantic", "hypothesis", "alembic", "tqdm")


def test_the_plugin_costs_nothing(project: Path, run_pytest: Pytest, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is loaded in every project, so it imports nothing but pytest."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    write(project, "test_it.py", f"import sys\n\ndef test_it():\n    assert not {set(HEAVY)} & set(sys.modules)\n")
    assert "1 passed" in run_pytest("test_it.py", plugins=PLUGIN[2:])


def test_pytest_finds_the_plugin_by_its_entry_point(
    project: Path, run_pytest: Pytest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As setup.cfg declares it."""
    settings = configparser.ConfigParser()
    settings.read(PROJECT / "setup.cfg", encoding="utf-8")
    declared = settings["options.entry_points"]["pytest11"].strip()
    write(project, "site/backfill-0.1.0.dist-info/METADATA", "")
    write(project, "site/backfill-0.1.0.dist-info/entry_points.txt", f"[pytest11]\n{declared}\n")
    write(project, "test_transforms.py", "def test_it(backfill_engine):\n    assert backfill_engine is None\n")
    assert "1 passed" in run_pytest(path=(project / "site",), plugins=())
