"""Child: one run in a process of its own, `python -m tests.faults.child URL TRANSFORM [SETTING=VALUE ...]`.

It says "ready", waits for a line, runs, and says how the run ended.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from typing import Any

import sqlalchemy as sa

from backfill.errors import BackfillError
from tests.faults.workloads import TRANSFORMS, open_engine, run_on, settings, visit_people


def start_child(url: sa.URL, transform: str, **changes: Any) -> subprocess.Popen[str]:
    """Start a child, and wait until it is ready to run."""
    command = [sys.executable, "-m", "tests.faults.child", url.render_as_string(hide_password=False), transform]
    options = [f"{name}={value}" for name, value in changes.items()]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process: subprocess.Popen[str] = subprocess.Popen([*command, *options], text=True, **pipes)  # type: ignore[call-overload]
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    """Let it run."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def ending(process: subprocess.Popen[str]) -> str:
    """Wait for its end, and give its last words: a status, or the class of an error."""
    said, _ = process.communicate(timeout=60)
    return said.strip()


def main() -> None:
    """Run once."""
    url, name, *options = sys.argv[1:]
    chosen = settings(**dict(option.split("=") for option in options))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        reach = partial(visit_people, url, name)
        said = str(run_on(open_engine(url), TRANSFORMS[name], chosen, reach=reach).status)
    except BackfillError as error:
        said = type(error).__name__
    sys.stdout.write(said)


if __name__ == "__main__":
    main()
