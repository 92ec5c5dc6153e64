"""Notes of task instances: the id that replaces a key of four columns."""

from typing import Any

from sqlalchemy import column, select, table

import backfill
from backfill import Rows, is_missing

KEY = ("dag_id", "task_id", "run_id", "map_index")
instance = table("task_instance", column("id"), *map(column, KEY))


@backfill.transform("task_instance_note", where=is_missing("ti_id"))
def note_task_instances(notes: Rows) -> dict[str, Any]:
    """A note belongs to the instance that has the same four columns."""
    same = (instance.c[name] == notes.c[name] for name in KEY)
    return {"ti_id": select(instance.c.id).where(*same).scalar_subquery()}


STEPS = (note_task_instances,)
