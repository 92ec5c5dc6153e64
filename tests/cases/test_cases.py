"""Every case on every database: it ends as it should, also when it is killed half-way or run again."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from backfill.run import Run
from backfill.settings import Settings
from backfill.status import Status
from tests.cases.conftest import Prepare
from tests.cases.harness import CASES, Case, reason_not_to_repeat
from tests.faults.statements import listening, recorded
from tests.faults.workloads import run_on
from tests.kept import EACH_DATABASE

SEED = int(os.environ.get("BACKFILL_TEST_SEED", random.randrange(1_000_000)))

pytestmark = [
    pytest.mark.parametrize("database", EACH_DATABASE),
    pytest.mark.parametrize("case", CASES, ids=lambda case: case.name),
]


class Killed(BaseException):
    """The process ends here."""


def run_steps(engine: sa.Engine, case: Case, settings: Settings) -> list[Run]:
    """Run the transforms of a case in their order, each on a connection of its own."""
    return [run_on(engine, transform, settings) for transform in case.steps]


@contextmanager
def killed_before_commit(engine: sa.Engine, number: int) -> Iterator[None]:
    """Die when the COMMIT of this number is about to be sent."""
    commits = 0

    def hear(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"
        if statement == "COMMIT" and commits == number:
            raise Killed

    with listening(engine, hear), pytest.raises(Killed):
        yield


def test_it_ends_as_it_should(case: Case, database: str, prepare: Prepare) -> None:
    """With the settings that everybody has; run once more, it finds that it is complete and touches nothing."""
    engine = prepare(case, database)
    runs = run_steps(engine, case, Settings())
    assert case.differences(engine, database) == []
    assert {run.status for run in runs} == {Status.COMPLETED}
    assert run_steps(engine, case, Settings()) == runs
    assert case.differences(engine, database) == []


def test_it_ends_the_same_when_it_is_killed_on_the_way(case: Case, database: str, prepare: Prepare) -> None:
    """In small batches, before a COMMIT drawn by lot, then resumed."""
    whole = prepare(case, database)
    with recorded(whole) as script:
        run_steps(whole, case, case.small_batches)
    assert case.differences(whole, database) == []
    number = random.Random(f"{SEED} {case.name}").randint(1, script.count("COMMIT"))
    print(f"BACKFILL_TEST_SEED={SEED}: killed before COMMIT {number} of {script.count('COMMIT')}")  # noqa: T201
    engine = prepare(case, database)
    with killed_before_commit(engine, number):
        run_steps(engine, case, case.small_batches)
    run_steps(engine, case, case.small_batches)
    assert case.differences(engine, database) == []


def test_it_ends_the_same_when_each_step_is_walked_twice(case: Case, database: str, prepare: Prepare) -> None:
    """From the first row again, as far as the data allow it; else it says why only the checkpoint does."""
    engine = prepare(case, database)
    for transform in case.steps:
        first = run_on(engine, transform, case.small_batches)
        reason = reason_not_to_repeat(engine, transform)
        again = run_on(engine, transform, case.small_batches, from_start=not reason)
        assert (again.id == first.id) == bool(reason)
    assert case.differences(engine, database) == []
