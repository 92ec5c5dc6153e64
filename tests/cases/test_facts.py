"""The facts of every case fit every database."""

import pytest

from tests.cases.conftest import Prepare
from tests.cases.harness import CASES, Case
from tests.conftest import DATABASES
from tests.kept import EACH_DATABASE


@pytest.mark.parametrize("database", EACH_DATABASE)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tables_and_rows_as_they_are_before_the_step(case: Case, database: str, prepare: Prepare) -> None:
    """They load, every check can be asked, and at least one is not met yet."""
    assert case.differences(prepare(case, database), database)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_where_a_case_comes_from(case: Case) -> None:
    """Its project, its file, and the databases on which the project runs it."""
    assert case.about["name"] == case.name
    assert set(case.about["databases"]) <= set(DATABASES)
