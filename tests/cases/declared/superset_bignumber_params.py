"""Charts of one big number: two settings get other names."""

import json
from typing import Any

from pydantic import BaseModel, Json
from sqlalchemy import column

import backfill

NAMES = {"header_format_selector": "force_timestamp_formatting", "header_timestamp_format": "time_format"}


class Chart(BaseModel):
    """Read."""

    params: Json[dict[str, Any]]


class Renamed(BaseModel):
    """Written."""

    params: str


@backfill.transform("slices", where=(column("viz_type") == "big_number_total") & column("params").is_not(None))
def big_number_params(chart: Chart) -> Renamed:
    """A setting moves if it is set; the text is written with sorted names."""
    params = {name: value for name, value in chart.params.items() if name not in NAMES}
    moved = {new: chart.params[old] for old, new in NAMES.items() if chart.params.get(old)}
    return Renamed(params=json.dumps(params | moved, sort_keys=True))


STEPS = (big_number_params,)
