"""Collector: Python's search for reference cycles, held back while batches are built."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

OBJECTS_BETWEEN_SEARCHES = 100_000
"""About what the largest batch makes; Python's own 700 would search the same living rows a hundred times."""


def collect_young() -> None:
    """After a batch, when its rows are gone: what is left of its statements has cycles, and holds their parameters."""
    gc.collect(0)


@contextmanager
def relaxed_collector() -> Iterator[None]:
    """Search for cycles less often: the objects of a batch have none, and die when the batch ends."""
    usual = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_SEARCHES, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
