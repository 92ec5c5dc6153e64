"""Progress: told of every batch; a tqdm bar on a terminal, a log line every few seconds elsewhere."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Self

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from backfill.escaping import one_line
from backfill.phrase import phrased

# Below "alembic", whose level the stock alembic.ini sets: its fileConfig() silences every logger it does not name.
log = logging.getLogger("alembic.backfill")


def _make_harmless(record: logging.LogRecord) -> bool:
    """One record is one line, and speaks of commands as they are typed here."""
    record.msg, record.args = phrased(one_line(record.getMessage())), ()
    return True


log.addFilter(_make_harmless)

LOG_SECONDS = 5.0

NARROW = 80
"""Columns of the bar on a terminal that does not tell its width, as in some containers."""

_WITH_ESTIMATE = "{desc} {percentage:3.0f}%|{bar}| {n:,} of about {total:,}{unit} [{rate_fmt}, {remaining} left]"
_WITHOUT_ESTIMATE = "{desc} {n:,}{unit} [{rate_fmt}, {elapsed}]"


@contextmanager
def logging_to_stderr() -> Iterator[None]:
    """Let people read what we log, where no env.py and no application has set logging up."""
    root = logging.getLogger()
    if root.handlers:
        yield
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: not record.name.startswith("psycopg"))  # it logs what it raises, too
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s"))
    level = log.level
    root.addHandler(handler)
    log.setLevel(level or logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        log.setLevel(level)


class Progress(AbstractContextManager["Progress"]):
    """Told of every batch, and tells people: rows, rate, and the time left by the rate of late.

    Without a terminal there is no bar; then a log line says the same every few seconds.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar: tqdm[Any] | None = None
        self._stack = ExitStack()
        self._logged_at = 0.0
        self._rows = self._written = 0
        self._total: int | None = None
        self._told_of_lease = False

    def __enter__(self) -> Self:
        """Ready to be told."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Leave the last state of the bar on the screen; at the end of a run it is full, whatever the estimate was."""
        if self._bar is not None and self._total and kind is None:
            self._bar.total = self._bar.n
        self._stack.close()
        self._bar = None

    def begin(self, done: int, estimated: int | None) -> None:
        """A run starts or resumes: so many rows are behind it, of about so many."""
        self._rows, self._total = done, estimated
        self._logged_at = time.monotonic()
        if sys.stderr.isatty():
            has_width = os.get_terminal_size(sys.stderr.fileno()).columns > 0
            self._stack.enter_context(logging_redirect_tqdm())
            self._bar = self._stack.enter_context(
                tqdm(
                    desc=self._name,
                    initial=done,
                    total=max(estimated, done) if estimated else None,
                    unit=" rows",
                    unit_scale=True,
                    smoothing=0.1,
                    dynamic_ncols=has_width,
                    ncols=None if has_width else NARROW,
                    bar_format=_WITH_ESTIMATE if estimated else _WITHOUT_ESTIMATE,
                )
            )

    def advance(self, rows: int, written: int) -> None:
        """A batch was committed."""
        self._rows += rows
        self._written += written
        if self._bar is not None:
            if self._total and self._rows > self._total:  # it was an estimate
                self._bar.total = self._rows
            self._bar.update(rows)
        elif time.monotonic() - self._logged_at >= LOG_SECONDS:
            self._logged_at = time.monotonic()
            log.info("%s: %s", self._name, self._sentence())

    def catch_up(self, rows: int, written: int) -> None:
        """So much is done by all workers together."""
        self.advance(max(rows - self._rows, 0), max(written - self._written, 0))

    def wait(self, reason: str) -> None:
        """The run waits, and why."""
        log.info("%s: %s", self._name, reason)

    def wait_for_lease(self, owner: str, seconds: float | None) -> None:
        """Another worker holds the run; said once."""
        if not self._told_of_lease:
            self._told_of_lease = True
            self.wait(f"held by {owner}; if that is dead, its lease ends in {max(seconds or 0, 0):.0f} s")

    def say(self, message: str) -> None:
        """Something worth knowing, once."""
        log.info("%s: %s", self._name, message)

    def _sentence(self) -> str:
        share = f" of about {self._total:,}" if self._total else ""
        return f"{self._rows:,}{share} rows walked, {self._written:,} written in this session"


class Silence(Progress):
    """The progress of a helper, of which its leader tells."""

    def __init__(self) -> None:
        super().__init__("")

    def advance(self, rows: int, written: int) -> None:
        """The leader reads it in the ledger."""

    def wait(self, reason: str) -> None:
        """It goes on as soon as it can."""

    def say(self, message: str) -> None:
        """The leader has said it."""
