"""Starts a server that exists for one test run only."""

import json
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from tests.servers import Unavailable

KEEPER = Path(__file__).with_name("keeper.py")
START_SECONDS = 60
STOP_SECONDS = 30


@dataclass(frozen=True)
class Command:
    """A program to run, as the caller unless a user is named."""

    argv: Sequence[str]
    user: str | None = None


@dataclass(frozen=True)
class Throwaway:
    """A server's keeper, and all that the server has said so far."""

    keeper: "subprocess.Popen[bytes]"
    output: IO[bytes]

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Return when the server answers; give up when it has ended or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self.keeper.poll() is not None or time.monotonic() > deadline:
                reason = f"its server did not start: {self.last_words()}"
                self.stop()
                raise Unavailable(reason)
            time.sleep(0.05)

    def stop(self) -> None:
        """Close the keeper's pipe, which ends the server and removes its directory."""
        assert self.keeper.stdin is not None
        self.keeper.stdin.close()
        self.keeper.wait(STOP_SECONDS)
        self.output.close()

    def last_words(self) -> str:
        """Return the end of what the server printed."""
        self.output.seek(0)
        lines = self.output.read().decode(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:]) or "it said nothing"


def keep(directory: Path, commands: Sequence[Command], stop_signal: signal.Signals) -> Throwaway:
    """Run the commands under a keeper, in a session of its own so that Ctrl-C does not reach it."""
    steps = [asdict(command) for command in commands]
    order = json.dumps({"directory": str(directory), "commands": steps, "stop_signal": stop_signal})
    # An unnamed file: nothing to remove afterwards, and still readable when the directory is gone.
    output = tempfile.TemporaryFile()  # noqa: SIM115
    keeper = subprocess.Popen(
        [sys.executable, "-I", str(KEEPER), order],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    return Throwaway(keeper, output)


def new_directory(database: str) -> Path:
    """Make the server's directory; its path is short, because a socket's may not exceed 107 bytes."""
    return Path(tempfile.mkdtemp(prefix=f"backfill-{database}-", dir="/tmp"))


def unprivileged_user(preferred: str) -> str | None:
    """Name the user a server runs as: no database starts as root, every other user runs it as themselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return preferred if preferred in known else "nobody"


def hand_over(directory: Path, user: str | None) -> list[Command]:
    """Return the commands that give the directory to the server's user."""
    return [Command(["chown", "-R", user, str(directory)])] if user else []
