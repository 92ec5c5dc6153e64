"""Sizes of projects: those of all their files together."""

from typing import Any

from sqlalchemy import column, func, select, table

import backfill
from backfill import Rows

file = table("release_files", column("release_id"), column("size"))
project = table("projects", column("id"))
release = table("releases", column("id"), column("project_id"))
files = file.join(release, release.c.id == file.c.release_id)


@backfill.transform(
    "projects", where=select(file.c.size).select_from(files).where(release.c.project_id == project.c.id).exists()
)
def total_sizes(projects: Rows) -> dict[str, Any]:
    """None where no file has a size; a project without files keeps what it has."""
    total = select(func.sum(file.c.size)).select_from(files).where(release.c.project_id == projects.c.id)
    return {"total_size": total.scalar_subquery()}


STEPS = (total_sizes,)
