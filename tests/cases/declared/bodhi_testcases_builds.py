"""Test cases of a package: duplicates without comments go, the others are linked to the package's builds."""

from pydantic import BaseModel
from sqlalchemy import column, func, select, table

import backfill
from backfill import Delete, Insert, Rows

comment = table("comment_testcase_assoc", column("testcase_id"))
testcase = table("testcases", column("id"), column("package_id"))


class TestCase(BaseModel):
    """Read."""

    comments: int


@backfill.transform(
    "testcases",
    where=column("name").is_not(None),
    group_by=("name",),
    lookups={"comments": select(func.count()).where(comment.c.testcase_id == testcase.c.id)},
)
def drop_uncommented_duplicates(namesakes: list[TestCase]) -> list[Delete | None]:
    """Of several with one name, only those with comments stay: possibly none."""
    return [Delete() if len(namesakes) > 1 and not one.comments else None for one in namesakes]


@backfill.transform("builds")
def build_testcases(builds: Rows) -> Insert:
    """Each build is linked to every test case of its package."""
    links = select(builds.c.id.label("build_id"), testcase.c.id.label("testcase_id")).join_from(
        builds, testcase, testcase.c.package_id == builds.c.package_id
    )
    return Insert("build_testcase_table", links, match=("build_id", "testcase_id"))


STEPS = (drop_uncommented_duplicates, build_testcases)
