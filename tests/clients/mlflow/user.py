"""User: what somebody types who fills MLflow's tables, `backfill run` in a folder with transforms in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from backfill import schema
from tests.clients.mlflow.oracle import STEPS, DataStep, Truth

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Told:
    """What `backfill status` tells of a run."""

    status: str
    rows_done: int
    rows_written: int

    def agrees_with(self, truth: Truth) -> bool:
        """Whether every row was taken once, and all that was written was counted."""
        return (self.status, self.rows_done, self.rows_written) == ("completed", truth.walked, truth.written)


class User:
    """Somebody with a folder of transforms and a database."""

    def __init__(self, folder: Path, engine: sa.Engine) -> None:
        self._folder = folder
        self._engine = engine
        (folder / "transforms").mkdir()
        for step in STEPS:
            (folder / "transforms" / f"{step.name}.py").write_text(step.file.read_text(encoding="utf-8"))

    def run(self, step: DataStep, *options: str) -> float:
        """Run to the end; gives the seconds."""
        started = time.perf_counter()
        with self._typing("run", step.name, *options) as process:
            assert process.wait() == 0, f"backfill run {step.name} ends with {process.returncode}"
        return time.perf_counter() - started

    def run_killed(self, step: DataStep, rows: int, *options: str) -> tuple[float, int]:
        """Run until so many rows are taken, then kill; gives the seconds, and the rows that are committed."""
        runs_before, started = self._progress(step)[0], time.perf_counter()
        with self._typing("run", step.name, *options) as process:
            while process.poll() is None:
                number, done = self._progress(step)
                if number > runs_before and done >= rows:
                    break
                time.sleep(POLL_SECONDS)
            process.kill()
        assert process.returncode < 0, f"backfill run {step.name} ended by itself, with {process.returncode}"
        return time.perf_counter() - started, self._progress(step)[1]

    def ask_status(self, step: DataStep) -> Told:
        """Ask for the newest run."""
        command = [sys.executable, "-m", "backfill", "status", step.name, "--json"]
        done = subprocess.run(command, cwd=self._folder, env=self._environment(), check=True, capture_output=True)
        newest = json.loads(done.stdout)[-1]
        return Told(newest["status"], newest["rows_done"], newest["rows_written"])

    @contextmanager
    def _typing(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        command: Sequence[str] = [sys.executable, "-m", "backfill", *words]
        with (self._folder / "output").open("wb+") as output:
            with subprocess.Popen(
                command, cwd=self._folder, env=self._environment(), stdout=output, stderr=output
            ) as process:
                yield process
            if process.returncode > 0:
                output.seek(0)
                sys.stderr.write(output.read().decode())

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "BACKFILL_DATABASE_URL": self._engine.url.render_as_string(hide_password=False)}

    def _progress(self, step: DataStep) -> tuple[int, int]:
        """The number of the newest run, and the rows that it has taken."""
        if not sa.inspect(self._engine).has_table(schema.slice_.name):
            return 0, 0
        rows = sa.func.sum(schema.slice_.c.rows_read)
        newest = sa.select(schema.run.c.id, rows).join(schema.slice_).where(schema.run.c.name == step.name)
        with self._engine.connect() as connection:
            found = connection.execute(newest.group_by(schema.run.c.id).order_by(schema.run.c.id.desc())).first()
        return (0, 0) if found is None else (int(found[0]), int(found[1]))
