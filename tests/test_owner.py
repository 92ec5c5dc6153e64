"""Which process works on a slice, and whether it can still be alive."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from backfill import schema
from backfill.running.owner import describe, is_dead, new_owner


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    """Give a process that lives for as long as the test."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process


def signature(process: int, host: str | None = None) -> str:
    """The owner as another process signs."""
    mine, _, token = new_owner().split(" ")
    return f"{host or mine} {process} {token}"


def test_two_runs_of_one_process_differ() -> None:
    """A process that runs twice is two owners."""
    assert new_owner() != new_owner()


def test_a_living_process_is_not_dead(sleeper: "subprocess.Popen[bytes]") -> None:
    """Nothing is taken from a process of this host that is there."""
    assert not is_dead(signature(sleeper.pid))


def test_a_process_of_another_user_is_not_dead() -> None:
    """A process that may not be signalled is there all the same."""
    assert not is_dead(signature(1))


def test_a_process_that_ended_is_dead(sleeper: "subprocess.Popen[bytes]") -> None:
    """A process that is gone cannot commit any more."""
    sleeper.kill()
    sleeper.wait()
    assert is_dead(signature(sleeper.pid))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells of zombies")
def test_a_process_that_nobody_buried_is_dead(sleeper: "subprocess.Popen[bytes]") -> None:
    """In a container without an init it stays in the list of processes."""
    sleeper.kill()
    deadline = time.monotonic() + 10
    while not is_dead(signature(sleeper.pid)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_earlier_run_of_this_process_is_dead() -> None:
    """What this very process left behind, it may take again."""
    assert is_dead(new_owner())


def test_a_process_of_another_host_is_not_dead(sleeper: "subprocess.Popen[bytes]") -> None:
    """Of another host only the lease can tell, whatever lives or died here under that number."""
    sleeper.kill()
    sleeper.wait()
    assert not is_dead(signature(sleeper.pid, "elsewhere"))


@pytest.mark.parametrize("host", ["web-1", "h" * 255, "Anna's Mac", "größe.example"])
def test_any_host_name_fits_the_ledger(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long name, or one with spaces, is kept, read back and known as this host again."""
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    owner = new_owner()
    assert len(owner) <= schema.slice_.c.owner.type.length  # type: ignore[attr-defined]
    assert is_dead(owner)
    assert describe(owner).startswith("process ")


def test_people_read_process_and_host() -> None:
    """The token is nobody's business."""
    assert describe("web-1 4711 0a1b2c3d") == "process 4711 on web-1"
