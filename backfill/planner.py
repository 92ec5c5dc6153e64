"""Planner: what a run would do, by doing its first batch through the real write path and taking it back."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backfill.batch import Batch
from backfill.checks import preflight
from backfill.database import Database
from backfill.declaration.changes import Write
from backfill.declaration.conditions import render
from backfill.declaration.decorator import Transform
from backfill.declaration.form import Row
from backfill.declaration.repeatability import Repeatability
from backfill.finding import Finding, Severity
from backfill.key import Key
from backfill.settings import Settings
from backfill.target import Target, open_targets

SAMPLES = 5
"""Rows shown before and after."""


@dataclass(frozen=True)
class Sample:
    """One row before and after."""

    key: Key
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class TablePlan:
    """What would become of one table."""

    table: str
    rows_estimated: int | None
    seconds_estimated: float | None
    """By the rate of the first batch; None without an estimate or without a row."""
    samples: Sequence[Sample]


@dataclass(frozen=True)
class Plan:
    """What a run would do."""

    name: str
    description: str
    arrival: str
    reads: Sequence[str]
    writes: Sequence[str]
    where: str | None
    repeatability: Repeatability
    findings: Sequence[Finding]
    tables: Sequence[TablePlan]


def draft_plan(
    database: Database, transform: Transform[..., Any], settings: Settings, accept: Collection[str] = ()
) -> Plan:
    """What a run would do, table by table. Everything it does to the database is rolled back.

    Raises:
        ChecksFailed: a run would be refused; the findings say why.
        RowRejected: a row of the first batch cannot be filled.
    """
    targets = open_targets(database, transform)
    findings = preflight(targets, accept)
    trials = [_Trial(target, settings.batch_size) for target in targets]
    tables = [trial.run() for trial in trials]
    bound, definition = targets[0].bound, transform.definition
    return Plan(
        name=transform.name,
        description=definition.description,
        arrival=transform.form.noun,
        reads=sorted(bound.reads),
        writes=bound.writes,
        where=None if definition.where is None else render(definition.where),
        repeatability=targets[0].repeatability,
        findings=[*findings, *(finding for trial in trials for finding in trial.findings)],
        tables=tables,
    )


class _Trial:
    """The first batch of one table, done and taken back."""

    def __init__(self, target: Target, rows: int) -> None:
        self._target = target
        self._rows = rows
        self.findings: list[Finding] = []

    def run(self) -> TablePlan:
        """Do it, take it back, and tell."""
        samples: list[Sample] = []
        seconds = None
        with self._target.database.transaction(keep=False):
            estimate = self._target.estimate()
            batch = self._first_batch()
            if batch is not None:
                samples, seconds = self._try(batch)
        return TablePlan(
            table=self._target.name,
            rows_estimated=estimate,
            seconds_estimated=None if seconds is None or estimate is None else seconds * estimate,
            samples=samples,
        )

    def _first_batch(self) -> Batch | None:
        last = self._target.last_key()
        return None if last is None else self._target.next_match(None, last, self._rows)

    def _try(self, batch: Batch) -> tuple[list[Sample], float]:
        """Samples, and seconds per row."""
        target = self._target
        columns = tuple(dict.fromkeys([*(target.bound.fetches or sorted(target.bound.reads)), *target.bound.writes]))
        before = target.snapshot(batch, columns)
        started = time.perf_counter()
        with target.database.sentinel():
            rows = target.read(batch)
            writes = target.apply(rows)
            for write in writes:
                target.write(write, batch)
        seconds = time.perf_counter() - started
        self._note_fresh_values(rows, writes)
        self._note_rows_that_stay(batch)
        after = target.snapshot(batch, columns, everything=True)
        keys = [key for key in before if key in after][:SAMPLES]
        return [_sample(key, columns, before[key], after[key]) for key in keys], seconds / max(len(before), 1)

    def _note_fresh_values(self, rows: Sequence[Row], writes: Sequence[Write]) -> None:
        if rows and self._target.apply(rows) != writes:
            self._warn("fresh-values", "called twice on the same rows it gives different values (a random one, a time)")

    def _note_rows_that_stay(self, batch: Batch) -> None:
        left = len(self._target.snapshot(batch, ())) if self._target.repeatability.shrinks else 0
        if left:
            self._warn("rows-stay", f"{left:,} rows of the first batch still match where after they were written")

    def _warn(self, code: str, message: str) -> None:
        self.findings.append(Finding(code, f"{self._target.name}: {message}", Severity.WARNING))


def _sample(key: Key, columns: Sequence[str], before: Sequence[Any], after: Sequence[Any]) -> Sample:
    changed = [n for n in range(len(columns)) if before[n] != after[n]]
    return Sample(key, dict(zip(columns, before, strict=True)), {columns[n]: after[n] for n in changed})
