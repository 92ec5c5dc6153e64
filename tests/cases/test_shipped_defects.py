"""Loops that shipped, with faults that lose rows; declared, the same steps on the same rows lose none."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from backfill.settings import Settings
from tests.cases import loops
from tests.cases.conftest import Prepare
from tests.cases.harness import Case
from tests.faults.workloads import run_on
from tests.kept import EACH_DATABASE


@dataclass(frozen=True)
class Defect:
    """A fault, and how to count the rows that it loses."""

    case: str
    loop: Callable[[sa.Connection], None]
    lost: int
    counted: str


DEFECTS = (
    Defect(
        "letta_encrypt_offset_bug",
        loops.offset_over_a_shrinking_set,
        1_000,
        "SELECT count(*) FROM mcp_oauth WHERE access_token_enc IS NULL",
    ),
    Defect(
        "prefect_work_queue_links",
        loops.end_at_a_full_batch,
        230,
        "SELECT count(*) FROM flow_run f JOIN work_queue q ON q.name = f.work_queue_name WHERE f.work_queue_id IS NULL",
    ),
    Defect(
        "prefect_artifact_collections",
        loops.offset_for_each_row,
        800,
        "SELECT count(*) FROM artifact_collection WHERE latest_id IS NOT NULL AND description IS NULL",
    ),
    Defect(
        "mlflow_user_to_tags",
        loops.one_object_for_many_rows,
        3,
        "SELECT count(*) FROM runs WHERE user_id <> '' AND run_uuid NOT IN "
        "(SELECT run_uuid FROM tags WHERE value <> 'y')",
    ),
)


def count(engine: sa.Engine, statement: str) -> int:
    """Count as a statement does."""
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(statement).scalar_one())


@pytest.mark.parametrize("database", EACH_DATABASE)
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.loop.__name__)
def test_the_loop_loses_rows_and_the_declaration_none(defect: Defect, database: str, prepare: Prepare) -> None:
    """The loop ends without an error; what it leaves undone is counted, and the declared step leaves nothing."""
    case = Case(defect.case)
    looped, declared = prepare(case, database), prepare(case, database)
    with looped.begin() as connection:
        defect.loop(connection)
    assert count(looped, defect.counted) == defect.lost
    for transform in case.steps:
        run_on(declared, transform, Settings())
    assert count(declared, defect.counted) == 0
    assert case.differences(declared, database) == []
