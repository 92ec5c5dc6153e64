"""Sinks: all that leaves a process while something goes wrong in it, kept to be searched."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from backfill import schema
from tests.quiet.canaries import hits

PLACES = ("hi", "checkpoint", "state", "key")
"""Columns of the ledger that hold keys and the function's own state, exactly as they are: a run goes on from them."""

ASKED_FOR = "sqlalchemy.engine"
"""SQLAlchemy's echo shows statements and rows to whoever turns it on; it is off unless a project asks for it."""


@dataclass
class Sinks:
    """What was caught, by the name of the way it left."""

    caught: dict[str, str] = field(default_factory=dict)

    def catch(self, sink: str, text: str) -> None:
        """Keep a text."""
        self.caught[sink] = self.caught.get(sink, "") + text

    def catch_error(self, sink: str, error: BaseException) -> None:
        """Keep an exception as Python prints it, with its causes and contexts, and as a page or a log would."""
        self.catch(sink, "".join(traceback.format_exception(error)))
        self.catch(sink, f"{error}\n{error!r}\n{error.args!r}\n{vars(error)!r}\n".replace("\\n", "\n"))

    def catch_ledger(self, engine: sa.Engine) -> None:
        """Keep the ledger, as far as there is one, but for the places from which runs go on."""
        with engine.connect() as connection:
            present = set(sa.inspect(connection).get_table_names())
            for table in schema.metadata.sorted_tables:
                if table.name in present:
                    shown = [column for column in table.c if column.name not in PLACES]
                    for row in connection.execute(sa.select(*shown)):
                        self.catch("ledger", f"{'  '.join(map(str, row))}\n")

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.caught.values())

    def leaks(self) -> dict[str, list[str]]:
        """What of it should not be there, by sink."""
        found = {sink: hits(text) for sink, text in self.caught.items()}
        return {sink: canaries for sink, canaries in found.items() if canaries}


class _Records(logging.Handler):
    def __init__(self, sinks: Sinks) -> None:
        super().__init__(logging.DEBUG)
        self._sinks = sinks

    def emit(self, record: logging.LogRecord) -> None:
        self._sinks.catch("log", f"{self.format(record)}\n")


@contextmanager
def listening(sinks: Sinks, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Catch log records of every logger at every level, warnings, and what is written to file descriptors 1 and 2."""
    root, asked_for = logging.getLogger(), logging.getLogger(ASKED_FOR)
    handler, levels = _Records(sinks), (root.level, asked_for.level)
    capfd.readouterr()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    asked_for.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield
    finally:
        root.removeHandler(handler)
        root.setLevel(levels[0])
        asked_for.setLevel(levels[1])
        told = capfd.readouterr()
        sinks.catch("stdout", told.out)
        sinks.catch("stderr", told.err)
        sinks.catch("warnings", "\n".join(f"{warning.category.__name__}: {warning.message}" for warning in warned))
