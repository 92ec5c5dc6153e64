"""Availability of storage: three bits become three columns."""

from typing import Any

from sqlalchemy import column

import backfill
from backfill import Rows

BITS = {"availability_read": 4, "availability_write": 2, "availability_delete": 1}


@backfill.transform("rses", where=column("availability").between(0, 7))
def availability_bits(elements: Rows) -> dict[str, Any]:
    """A column is true where its bit is set."""
    return {name: elements.c.availability.bitwise_and(bit) != 0 for name, bit in BITS.items()}


STEPS = (availability_bits,)
