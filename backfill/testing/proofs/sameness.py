"""The same rows get the same values, whenever they are asked for."""

from __future__ import annotations

import re
import time

from backfill.testing.end import told_difference
from backfill.testing.law import Law
from backfill.testing.stage import Stage

_CLOCK = re.compile(r"\b(?:\w*now|today|time|current_\w+|local\w+|\w*timestamp)\(")


def _prove(stage: Stage) -> str | None:
    if _CLOCK.search(stage.transform.definition.code or ""):
        time.sleep(1 - time.time() % 1)  # a clock shows once its second has passed
    stage.reset()
    stage.perform()
    return told_difference(stage.end(), "when it is run again on the same rows", stage.undisturbed, "the first time")


LAW = Law(
    "sameness",
    "the same rows get the same values.",
    "Look for what is not in the row: a counter, a clock, a random number; if a column is meant to be new each time, "
    "name it in fresh=[...]",
    _prove,
)
