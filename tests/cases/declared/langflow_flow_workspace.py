"""Workspaces of flows: those of their folders."""

from typing import Any

from sqlalchemy import column, select, table

import backfill
from backfill import Rows

flow = table("flow", column("folder_id"))
folder = table("folder", column("id"), column("workspace_id"))


@backfill.transform("flow", where=select(folder.c.id).where(folder.c.id == flow.c.folder_id).exists())
def flow_workspaces(flows: Rows) -> dict[str, Any]:
    """None where the folder has none; a flow whose folder is not there keeps its own."""
    return {"workspace_id": select(folder.c.workspace_id).where(folder.c.id == flows.c.folder_id).scalar_subquery()}


STEPS = (flow_workspaces,)
