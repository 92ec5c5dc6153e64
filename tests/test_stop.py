"""Ctrl-C and SIGTERM ask a run to stop after its batch."""

import contextlib
import os
import signal
import threading

import pytest

from backfill.running.stop import StopRequest

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted(number: signal.Signals) -> None:
    """The process goes on; the request is there to be read."""
    with StopRequest() as stop:
        assert stop.reason is None
        os.kill(os.getpid(), number)
        assert stop.reason == f"stopped by {number.name}"


@pytest.mark.parametrize("number", SIGNALS)
def test_handlers_are_given_back(number: signal.Signals) -> None:
    """Afterwards the process reacts as it did before, an error in between included."""

    def mine(*_: object) -> None: ...

    before = signal.signal(number, mine)
    try:
        with contextlib.suppress(ZeroDivisionError), StopRequest():
            assert signal.getsignal(number) is not mine
            raise ZeroDivisionError
        assert signal.getsignal(number) is mine
    finally:
        signal.signal(number, before)


def test_a_second_ctrl_c_does_not_ask() -> None:
    """Whoever presses twice wants out now."""
    with StopRequest():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_second_sigterm_is_patient() -> None:
    """A supervisor that repeats itself does not tear the batch apart."""
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.reason == "stopped by SIGTERM"


def test_another_thread_does_not_listen() -> None:
    """Only the main thread may listen to signals; elsewhere the request is never made, and nothing breaks."""
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with StopRequest() as stop:
            seen.extend((stop.reason, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [None, before]
