"""Ratings of one to five stars become votes down and up."""

from typing import Any

from sqlalchemy import case, column

import backfill
from backfill import Rows


@backfill.transform("ratings", where=column("value").between(1, 5))
def ratings_to_votes(ratings: Rows) -> dict[str, Any]:
    """One and two stars are a vote down, the others a vote up; only the checkpoint tells a vote from a star."""
    return {"value": case((ratings.c.value <= 2, -1), else_=1)}


STEPS = (ratings_to_votes,)
