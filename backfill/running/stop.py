"""StopRequest: Ctrl-C and SIGTERM ask a run to stop after its batch; a second Ctrl-C does not ask."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any, Protocol, Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop(Protocol):
    """What may ask a worker to stop."""

    @property
    def reason(self) -> str | None:
        """Who asked; None while nobody did."""
        ...


class StopRequest(AbstractContextManager["StopRequest"]):
    """Remembers that the process was asked to stop. Only the main thread can listen; elsewhere nothing is asked."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._previous: dict[signal.Signals, Callable[[int, FrameType | None], Any] | int | None] = {}

    def __enter__(self) -> Self:
        """Listen."""
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Give the process its own handlers back."""
        for number, handler in self._previous.items():
            if handler is not None:  # one that Python did not set cannot be set from Python
                signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.reason is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.reason = f"stopped by {signal.Signals(number).name}"
