"""Workspaces of events: out of a document, into a column."""

from pydantic import BaseModel

import backfill
from backfill import is_missing


class Workspace(BaseModel):
    """A part of the document; written as it is."""

    workspace_id: int | None = None


class Fields(BaseModel):
    """A document."""

    workspace: Workspace | None = None


class Event(BaseModel):
    """Read."""

    fields: Fields


@backfill.transform("events", where=is_missing("workspace_id"))
def event_workspaces(event: Event) -> Workspace | None:
    """The workspace that the document names, if it names one."""
    return event.fields.workspace


STEPS = (event_workspaces,)
