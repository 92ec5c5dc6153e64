"""Work queues: each in a pool, numbered, and known by id to runs and deployments."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import column, select, table

import backfill
from backfill import Insert, Rows, is_missing

POOL = "default-agent-pool"
queue = table("work_queue", column("id"), column("name"), column("work_pool_id"))


class Queue(BaseModel):
    """Read."""

    id: int


class Pool(BaseModel):
    """Inserted."""

    name: str = POOL
    type: str = "prefect-agent"


class Pooled(BaseModel):
    """Written."""

    work_pool_id: Insert[Pool]


class DefaultQueue(Pooled):
    """Inserted."""

    name: str = "default"


class Prioritized(BaseModel):
    """Written."""

    priority: int


@backfill.transform("work_queue", where=is_missing("work_pool_id"))
def pool_queues(queue: Queue) -> list[Pooled | Insert[DefaultQueue]]:
    """A queue without a pool joins the default pool, which is made for it together with a default queue."""
    pool = Insert("work_pool", Pool(), match="name")
    return [Pooled(work_pool_id=pool), Insert("work_queue", DefaultQueue(work_pool_id=pool), match="name")]


@backfill.transform("work_pool", where=is_missing("default_queue_id") & (column("name") == POOL))
def default_queues(pools: Rows) -> dict[str, Any]:
    """The default pool's queue of that name."""
    its_default = select(queue.c.id).where(queue.c.name == "default", queue.c.work_pool_id == pools.c.id)
    return {"default_queue_id": its_default.scalar_subquery()}


@backfill.transform("work_queue", where=is_missing("priority"), group_by=("work_pool_id",))
def prioritize_queues(queues: list[Queue]) -> list[Prioritized]:
    """1, 2, 3 … in each pool, by age."""
    return [Prioritized(priority=number) for number, _ in enumerate(queues, 1)]


@backfill.transform(
    "flow_run",
    "deployment",
    where=is_missing("work_queue_id") & column("work_queue_name").in_(select(queue.c.name)),
)
def link_queues(users: Rows) -> dict[str, Any]:
    """The queue of which the name is known."""
    return {"work_queue_id": select(queue.c.id).where(queue.c.name == users.c.work_queue_name).scalar_subquery()}


STEPS = (pool_queues, default_queues, prioritize_queues, link_queues)
