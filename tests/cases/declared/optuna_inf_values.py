"""Values of trials: infinities get a column of their own."""

import math
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import column, func

import backfill

FLOAT32_MAX = 3.4028234663852886e38


class Value(BaseModel):
    """Read."""

    value: float


class Infinite(BaseModel):
    """Written."""

    value: float | None = None
    value_type: Literal["INF_POS", "INF_NEG"]


@backfill.transform("trial_values", where=column("value").is_not(None) & (func.abs(column("value")) > 1e16))
def infinite_values(trial: Value) -> Infinite | None:
    """Infinite, or what single precision makes of it; the others are FINITE by default."""
    if math.isinf(trial.value) or math.isclose(abs(trial.value), FLOAT32_MAX):
        return Infinite(value_type="INF_POS" if trial.value > 0 else "INF_NEG")
    return None


STEPS = (infinite_values,)
