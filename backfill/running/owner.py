"""Owner: which process works on a slice, and whether it can still be alive."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

_SEPARATOR = " "


def new_owner() -> str:
    """This process, as it signs the slices it claims: host, process id, and a token for this run alone."""
    return _SEPARATOR.join((_host(), str(os.getpid()), secrets.token_hex(4)))


def colleague(leader: str) -> str:
    """This thread or process, as it signs for the pieces that it takes of what the leader holds."""
    *_, token = leader.split(_SEPARATOR)
    return f"{new_owner()}.{token}"


def is_colleague(owner: str, leader: str) -> bool:
    """Whether the owner signs as one of the leader's crew."""
    *_, token = leader.split(_SEPARATOR)
    return owner.endswith(f".{token}")


def _host() -> str:
    return socket.gethostname()[:100].replace(_SEPARATOR, "_")  # as much as the ledger keeps


def describe(owner: str) -> str:
    """The owner for people."""
    host, process, _ = owner.split(_SEPARATOR)
    return f"process {process} on {host}"


def is_dead(owner: str) -> bool:
    """Whether the owner was a process of this host that is gone. Elsewhere only its lease can tell.

    A wrong answer costs the other its next batch, not a row: the guarded write fences it.
    """
    host, process, _ = owner.split(_SEPARATOR)
    if host != _host():
        return False
    if int(process) == os.getpid():
        return True  # an earlier run of this very process, or of a container that was given the same id
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _is_zombie(int(process))


def _is_zombie(process: int) -> bool:
    """Whether it has ended and nobody has asked how, as in a container whose first process is no init."""
    try:
        told = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux, or just gone
        return False
    return told.rpartition(")")[2].split()[:1] == ["Z"]
