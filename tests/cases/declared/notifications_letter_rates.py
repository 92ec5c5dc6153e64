"""Rates of letters abroad from February 2025."""

from datetime import datetime
from decimal import Decimal
from itertools import product
from uuid import UUID, uuid4

from pydantic import BaseModel

import backfill
from backfill import Change, Insert, Update

DAY = datetime(2025, 2, 6)  # noqa: DTZ001  # the column has no zone
CLASSES = ("europe", "rest-of-world")
RATES = {1: "1.56", 2: "1.61", 3: "1.66", 4: "1.71", 5: "1.76"}


class Closed(BaseModel):
    """Written to the rates so far."""

    end_date: datetime


class Rate(BaseModel):
    """Inserted."""

    id: UUID
    start_date: datetime
    sheet_count: int
    rate: Decimal
    crown: bool
    post_class: str


@backfill.seed()
def letter_rates_february_2025() -> list[Change]:
    """The open rates end on the day on which the new ones begin."""
    closed = [Update("letter_rates", Closed(end_date=DAY), post_class=name, end_date=None) for name in CLASSES]
    rates = (
        Rate(id=uuid4(), start_date=DAY, sheet_count=sheets, rate=Decimal(rate), crown=crown, post_class=name)
        for (sheets, rate), crown, name in product(RATES.items(), (True, False), CLASSES)
    )
    key = ("post_class", "sheet_count", "crown", "start_date")
    return [*closed, *(Insert("letter_rates", rate, match=key) for rate in rates)]


STEPS = (letter_rates_february_2025,)
