"""Pipelines: one for each name, to which everything refers."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import column, select, table

import backfill
from backfill import Change, Delete, Rows, Update

CHILDREN = ("pipeline_run", "pipeline_deployment", "pipeline_build", "schedule")
pipeline = table("pipeline", column("id"), column("version_hash"), column("spec"))


class Pipeline(BaseModel):
    """Read."""

    id: str


class Repointed(BaseModel):
    """Written to what refers to a pipeline."""

    pipeline_id: str


@backfill.transform("pipeline_deployment", where=column("pipeline_id").is_not(None))
def keep_versions(deployments: Rows) -> dict[str, Any]:
    """A deployment takes what only its own pipeline knows, before that is merged."""
    own = select(pipeline.c.version_hash, pipeline.c.spec).where(pipeline.c.id == deployments.c.pipeline_id)
    return {
        "pipeline_version_hash": own.with_only_columns(pipeline.c.version_hash).scalar_subquery(),
        "pipeline_spec": own.with_only_columns(pipeline.c.spec).scalar_subquery(),
    }


def merge(merged: Pipeline, kept: Pipeline) -> list[Change]:
    """What refers to the one refers to the other, then the one can go."""
    return [*(Update(name, Repointed(pipeline_id=kept.id), pipeline_id=merged.id) for name in CHILDREN), Delete()]


@backfill.transform("pipeline", group_by=("name",))
def merge_pipelines(namesakes: list[Pipeline]) -> list[list[Change]]:
    """The first stays."""
    kept = namesakes[0]
    return [[] if each is kept else merge(each, kept) for each in namesakes]


STEPS = (keep_versions, merge_pipelines)
