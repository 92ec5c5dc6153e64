"""Metrics: the latest value of each metric of a run, in a table of its own."""

from sqlalchemy import func, select

import backfill
from backfill import Insert, Rows

METRIC = ("run_uuid", "key")
COLUMNS = (*METRIC, "step", "timestamp", "value", "is_nan")


@backfill.transform("metrics", group_by=METRIC)
def latest_metrics(metrics: Rows) -> Insert:
    """The greatest step, then the greatest time, then the greatest value."""
    newest_first = [metrics.c[name].desc() for name in ("step", "timestamp", "value")]
    place = func.row_number().over(partition_by=[metrics.c[name] for name in METRIC], order_by=newest_first)
    placed = select(*(metrics.c[name] for name in COLUMNS), place.label("place")).subquery()
    latest = select(*(placed.c[name] for name in COLUMNS)).where(placed.c.place == 1)
    return Insert("latest_metrics", latest, match=METRIC)


STEPS = (latest_metrics,)
