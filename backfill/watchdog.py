"""Watchdog: hangs up on a link that gives no answer long after the server itself would have ended the statement.

A link can die without a word: a firewall forgets it, a proxy stops forwarding. Neither side is told, so the driver
waits for ever, and the server's own limit cannot help. Shut down from here, the wait ends as any lost link does.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext

GRACE_SECONDS = 15.0
"""What an answer may take on its way, beyond the limit that the server keeps."""

MOST_LIMITS = 10
"""Of many statements sent at once, each of which has its own."""

_LOOKS = 4
"""How often one looks within the grace."""


class Watchdog:
    """Watches one connection while it is asked to; a file, or a driver that shows no socket, needs no watching."""

    def __init__(self, statement_seconds: float) -> None:
        self._limit = statement_seconds
        self._descriptor: int | None = None
        self._listening_to: Connection | None = None
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, connection: Connection) -> Iterator[None]:
        """Watch the statements made within, each of which the server ends at the limit."""
        self._descriptor = _descriptor_of(connection.connection.driver_connection)
        if self._descriptor is None:
            yield
            return
        if self._listening_to is not connection:
            _listen(connection)
            self._listening_to = connection
        self._start()
        _watchdogs[connection] = self
        try:
            yield
        finally:
            self.rest()
            del _watchdogs[connection]

    def await_answer(self, statements: int) -> None:
        """So many statements are sent now."""
        with self._lock:
            self._deadline = time.monotonic() + self._limit * min(statements, MOST_LIMITS) + GRACE_SECONDS

    def rest(self) -> None:
        """The answer is there, whatever it says."""
        with self._lock:
            self._deadline = None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="backfill watchdog", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(GRACE_SECONDS / _LOOKS):
            with self._lock:  # while it is held, the driver cannot have closed what it waits for
                if self._deadline is not None and time.monotonic() > self._deadline:
                    self._deadline = None
                    _hang_up(self._descriptor)


def _descriptor_of(driver: Any) -> int | None:
    """Of the driver's socket: libpq's tells it, and PyMySQL's is a socket of Python's."""
    link: Any = driver if hasattr(driver, "fileno") else getattr(driver, "_sock", None)
    return int(link.fileno()) if link is not None else None


_watchdogs: WeakKeyDictionary[Connection, Watchdog] = WeakKeyDictionary()


def _hang_up(descriptor: int | None) -> None:
    assert descriptor is not None, "only a link is waited for"
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as link:
        link.shutdown(socket.SHUT_RDWR)


def _listen(connection: Connection) -> None:
    """Once for all connections of the engine: SQLAlchemy tells these to no single one."""
    for name in ("do_execute", "do_execute_no_params"):
        event.listen(connection.dialect, name, _send)
    event.listen(connection.dialect, "do_executemany", _send_many)
    event.listen(connection.dialect, "handle_error", _fail)
    event.listen(connection, "after_cursor_execute", _receive)


def _send(*told: Any) -> None:
    _await_answer(told[-1], 1)


def _send_many(_: Any, __: Any, parameters: Any, context: Any) -> None:
    _await_answer(context, len(parameters))


def _await_answer(context: Any, statements: int) -> None:
    if watchdog := _watchdogs.get(context.root_connection):
        watchdog.await_answer(statements)


def _receive(connection: Connection, *_: Any) -> None:
    if watchdog := _watchdogs.get(connection):
        watchdog.rest()


def _fail(context: ExceptionContext) -> None:
    if context.connection is not None:
        _receive(context.connection)
