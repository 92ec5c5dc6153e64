"""Runs a throwaway server for as long as the tests live, then removes every trace of it.

A script of its own, started by `throwaway.py` with one JSON argument. The tests hold the other end of its standard
input: when they end, even by kill -9, the pipe closes, and that is the one signal to stop.
"""

import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 10


def main() -> None:
    """Run the preparations, then the server until it ends or the tests are gone."""
    order: dict[str, Any] = json.loads(sys.argv[1])
    directory, (*preparations, server) = order["directory"], order["commands"]
    try:
        # Preparations are short and always end by themselves: initdb, if killed, would leave shared memory behind.
        if all(start(command, directory).wait() == 0 for command in preparations):
            keep_running(start(server, directory), order["stop_signal"])
    finally:
        remove(directory)


def start(command: dict[str, Any], directory: str) -> "subprocess.Popen[bytes]":
    """Start a command in the directory, as the user it names."""
    user = identity(command["user"])
    return subprocess.Popen(command["argv"], cwd=directory, stdin=subprocess.DEVNULL, start_new_session=True, **user)


def keep_running(server: "subprocess.Popen[bytes]", stop_signal: int) -> None:
    """Wait until the server ends, and end it when the tests are gone."""
    while server.poll() is None:
        if tests_are_gone():
            stop(server, stop_signal)


def identity(user: str | None) -> dict[str, Any]:
    """Return the arguments that start a process as another user and in that user's group alone."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def tests_are_gone() -> bool:
    """Wait a moment for the pipe to close; nothing is ever written to it."""
    readable, _, _ = select.select([sys.stdin], [], [], POLL_SECONDS)
    return bool(readable)


def stop(server: "subprocess.Popen[bytes]", stop_signal: int) -> None:
    """End the server by the signal it obeys, and by force if it does not."""
    os.killpg(server.pid, stop_signal)
    try:
        server.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def remove(directory: str) -> None:
    """Remove the directory, again if a dying process still wrote into it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while Path(directory).exists() and time.monotonic() < deadline:
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    main()
