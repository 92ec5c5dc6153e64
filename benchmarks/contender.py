"""Contender: one way of filling the table, got ready before the clock starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Engine, create_engine

from benchmarks.tables import Recipe, database_of


@dataclass(frozen=True)
class Target:
    """The table to be filled, as a process of its own is told of it."""

    url: str
    rows: int
    recipe: Recipe = field(default_factory=Recipe)

    def engine(self) -> Engine:
        """A way to its database."""
        return create_engine(self.url)

    @property
    def database(self) -> str:
        """Which database it is: postgresql, sqlite or mariadb."""
        return database_of(self.engine())


Work = Callable[[], float | None]
"""What is timed; it gives the figure itself where that is not the time it took."""

Contender = Callable[[Target], Work]
"""Gets ready, and gives the work; a function that another process can import, or a `partial` of one."""


class NotAvailable(Exception):
    """A contender cannot take part here; the reason stands in its row."""
