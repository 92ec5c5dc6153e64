"""Load: pgbench, at a steady rate, as an application's own work; each transaction's time is in its log."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from sqlalchemy import URL

SYSTEM_DIRECTORY = Path("/usr/lib/postgresql")
"""Debian keeps pgbench out of the PATH."""

CLIENTS = 4

_SCRIPT = """
\\set updated random(1, {rows})
\\set looked_at random(1, {rows})
UPDATE bench_users SET email = 'user' || :updated || '@example.org' WHERE id = :updated;
SELECT full_name FROM bench_users WHERE id = :looked_at;
"""


class NoPgbench(Exception):
    """The program is not on this machine."""


@dataclass(frozen=True)
class Transaction:
    """One transaction of the load, in seconds since the epoch."""

    due: float
    """When it was to begin; what it waited for others counts too."""
    seconds: float


@dataclass(frozen=True)
class Latencies:
    """What the transactions of a span of time took, in milliseconds."""

    per_second: float
    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def between(cls, transactions: Sequence[Transaction], start: float, end: float) -> Latencies:
        """Of those that were due in the span."""
        taken = [each.seconds * 1000 for each in transactions if start <= each.due <= end]
        if len(taken) < 2:
            raise ValueError("too few transactions were due in the time of the run: take more rows")
        cuts = quantiles(taken, n=100, method="inclusive")
        done = sum(start <= each.due + each.seconds <= end for each in transactions)
        return cls(done / (end - start), cuts[49], cuts[94], cuts[98], max(taken))


class Load(AbstractContextManager["Load"]):
    """pgbench on the table of that many rows; it ends by itself."""

    def __init__(self, url: URL, rows: int, rate: int, seconds: float) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="bench")
        script = Path(self._folder.name, "load.sql")
        script.write_text(_SCRIPT.format(rows=rows), encoding="utf-8")
        options = ["-n", "-l", f"-R{rate}", f"-c{CLIENTS}", f"-T{math.ceil(seconds)}", "-f", script.name]
        self._said = Path(self._folder.name, "said")
        with self._said.open("w") as said:
            self._process = subprocess.Popen(  # noqa: S603  # a program of the system's
                [find_pgbench(), *options, *_place(url)],
                cwd=self._folder.name,
                env=os.environ | {"PGPASSWORD": url.password or ""},
                stdout=said,
                stderr=said,
            )

    def finish(self) -> list[Transaction]:
        """Wait for its end; gives what it did."""
        if self._process.wait():
            raise RuntimeError(f"pgbench ended with an error: {self._said.read_text()}")
        return [*logged(Path(self._folder.name))]

    def __exit__(self, *_: object) -> None:
        """Leave neither the program nor its log behind."""
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def find_pgbench() -> str:
    """Where the program is; raises NoPgbench."""
    found = shutil.which("pgbench") or max(map(str, SYSTEM_DIRECTORY.glob("*/bin/pgbench")), default=None)
    if found is None:
        raise NoPgbench("pgbench is not on this machine; it comes with PostgreSQL's server or its contrib programs")
    return found


def _place(url: URL) -> list[str]:
    given = {"-h": url.host or url.query.get("host"), "-p": url.port, "-U": url.username}
    return [part for option, value in given.items() if value for part in (option, str(value))] + [url.database or ""]


def logged(folder: Path) -> Iterator[Transaction]:
    """Its log has a line a transaction: client, number, microseconds, script, and the moment of its end."""
    for file in folder.glob("pgbench_log.*"):
        for line in file.read_text(encoding="ascii").splitlines():
            _, _, taken, _, second, microsecond, *_ = line.split()
            seconds = int(taken) / 1e6
            yield Transaction(int(second) + int(microsecond) / 1e6 - seconds, seconds)
