"""Captains of teams."""

from typing import Any

from sqlalchemy import column, func, select, table

import backfill
from backfill import Rows

user = table("users", column("id"), column("team_id"))


@backfill.transform("teams")
def team_captains(teams: Rows) -> dict[str, Any]:
    """The member who came first; a team without members has none."""
    return {"captain_id": select(func.min(user.c.id)).where(user.c.team_id == teams.c.id).scalar_subquery()}


STEPS = (team_captains,)
