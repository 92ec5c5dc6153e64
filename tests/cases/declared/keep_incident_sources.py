"""Incidents: what their alerts say, gathered."""

from pydantic import BaseModel
from sqlalchemy import column, select, table

import backfill

alert = table("alert", column("id"), column("event"))
link = table("alerttoincident", column("alert_id"), column("incident_id"))
incident = table("incident", column("id"))


class Event(BaseModel):
    """A document."""

    source: list[str] = []
    service: str | None = None


class Alert(BaseModel):
    """Looked up."""

    event: Event


class Incident(BaseModel):
    """Read."""

    alerts: list[Alert]


class Summary(BaseModel):
    """Written."""

    sources: list[str]
    affected_services: list[str]
    alerts_count: int


@backfill.transform(
    "incident",
    lookups={
        "alerts": select(alert.c.event)
        .join(link, link.c.alert_id == alert.c.id)
        .where(link.c.incident_id == incident.c.id)
    },
)
def incident_sources(incident: Incident) -> Summary:
    """Each source and each service once, and the number of alerts."""
    events = [alert.event for alert in incident.alerts]
    return Summary(
        sources=sorted({source for event in events for source in event.source}),
        affected_services=sorted({event.service for event in events if event.service}),
        alerts_count=len(events),
    )


STEPS = (incident_sources,)
