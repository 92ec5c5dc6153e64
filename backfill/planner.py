"""Planner: what a run would do, by doing its first batch through the real write path and taking it back."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backfill.batch import Batch, Tally
from backfill.checks import Examination, preflight
from backfill.database import Database
from backfill.declaration.changes import Insert
from backfill.declaration.conditions import render
from backfill.declaration.decorator import Transform
from backfill.declaration.divisibility import Divisibility
from backfill.declaration.form import Answer, Reading
from backfill.declaration.repeatability import Repeatability
from backfill.declaration.writes import Recordset, Verb, Write
from backfill.finding import Finding, Severity
from backfill.key import Key
from backfill.ledger import Ledger
from backfill.phrase import counted
from backfill.rows.given import Given
from backfill.rows.opening import open_sources
from backfill.rows.source import Source
from backfill.rows.target import Target
from backfill.run import Run
from backfill.settings import Settings

SAMPLES = 5
"""Rows shown before and after."""

IMAGE_OVERHEAD = 64
"""Bytes of an image beside the values: its key, its stamp, the row's header and its place in the index."""


@dataclass(frozen=True)
class Sample:
    """One walked row before and after; None: it is gone."""

    key: Key
    before: Mapping[str, Any]
    after: Mapping[str, Any] | None


@dataclass(frozen=True)
class ChangePlan:
    """What the first batch does to rows that it does not walk."""

    verb: Verb
    table: str
    samples: Sequence[Mapping[str, Any]]
    """The first rows, as they are given; empty where they never leave the database."""


@dataclass(frozen=True)
class TablePlan:
    """What would become of one table's rows, or of a seed or step."""

    table: str
    rows_estimated: int | None
    seconds_estimated: float | None
    """By the rate of the first batch; None without an estimate or without a row."""
    samples: Sequence[Sample]
    changes: Sequence[ChangePlan]
    tally: Tally | None
    """What the first batch does; None if there is none."""
    image_bytes: int | None = None
    """About how much room images of all its rows would take, by those of the first batch; None without an estimate."""


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
    divisibility: Divisibility
    keeps_undo: bool
    findings: Sequence[Finding]
    tables: Sequence[TablePlan]
    run: Run | None
    """The newest run, as the ledger has it."""


def draft_plan(
    database: Database, transform: Transform[..., Any], settings: Settings, accept: Collection[str] = ()
) -> Plan:
    """What a run would do, table by table. Everything it does to the database is rolled back.

    Raises:
        ChecksFailed: a run would be refused; the findings say why.
        RowRejected: a row of the first batch cannot be filled.
    """
    sources = open_sources(database, transform)
    examination = Examination(accept)
    findings = preflight(sources, examination)
    trials = [_Trial(source, examination, settings.batch_size) for source in sources]
    tables = [trial.run() for trial in trials]
    bound, definition = sources[0].bound, transform.definition
    return Plan(
        name=transform.name,
        description=definition.description,
        arrival=_arrival(transform),
        reads=[*sorted(bound.reads), *sorted(bound.looks_at)],
        writes=_written(trials),
        where=None if definition.where is None else render(definition.where),
        repeatability=sources[0].repeatability,
        divisibility=sources[0].divisibility,
        keeps_undo=definition.keep_undo if settings.keep_undo is None else settings.keep_undo,
        findings=[*findings, *(finding for trial in trials for finding in trial.findings)],
        tables=tables,
        run=Ledger(database).latest(transform.name),
    )


def _arrival(transform: Transform[..., Any]) -> str:
    """How rows come to the function."""
    noun, groups = transform.form.noun, transform.definition.group_by
    if groups is None:
        return noun
    whole = f"all rows with the same {', '.join(groups)}" if groups else "all rows"
    return f"{noun}: {whole}; one that is added to a group meanwhile is not seen"


def _written(trials: Sequence[_Trial]) -> Sequence[str]:
    """Columns of the walked rows, and columns of other tables by what the first batch does to them."""
    own = trials[0].source.bound.writes
    return [*own, *dict.fromkeys(name for trial in trials for name in trial.others_written)]


class _Trial:
    """The first batch of one source, done and taken back."""

    def __init__(self, source: Source, examination: Examination, rows: int) -> None:
        self.source = source
        self._examination = examination
        self._rows = rows
        self.findings: list[Finding] = []
        self.others_written: list[str] = []

    def run(self) -> TablePlan:
        """Do it, take it back, and tell."""
        with self.source.database.transaction(keep=False):
            estimate = self.source.estimate()
            batch = self._first_batch()
            if batch is None:
                return TablePlan(self.source.name, estimate, None, [], [], None)
            return self._try(batch, estimate)

    def _first_batch(self) -> Batch | None:
        last = self.source.last_key()
        if last is None:
            return None
        if isinstance(self.source, Target):
            return self.source.next_match(None, last, self._rows)
        return self.source.next_batch(None, last, self._rows)

    def _try(self, batch: Batch, estimate: int | None) -> TablePlan:
        source = self.source
        columns = self._columns_shown()
        before = source.snapshot(batch, columns) if isinstance(source, Target) else {}
        started = time.perf_counter()
        with source.database.sentinel() as sentinel:
            reading = source.read(batch)
            with sentinel.over():
                answer = source.apply(reading, Given(source.transform, source.database))
            self.findings += self._examination.admit(source, answer.writes)
            tally = source.write(answer.writes, batch, reading)
            sentinel.check()
        seconds = time.perf_counter() - started
        self._note_fresh_values(reading, answer)
        return TablePlan(
            table=source.name,
            rows_estimated=estimate,
            seconds_estimated=self._forecast(batch, seconds, len(before), estimate),
            samples=self._samples(batch, columns, before),
            changes=[self._change(write) for write in answer.writes if not write.shape.is_own],
            tally=tally + Tally(updated=answer.performed, skipped=answer.skipped),
            image_bytes=self._image_bytes(columns, before, estimate),
        )

    def _image_bytes(
        self, columns: Sequence[str], before: Mapping[Key, Sequence[Any]], estimate: int | None
    ) -> int | None:
        """A key, a stamp and every written value, before and after; what is written is taken for as long as it was."""
        written = [n for n, name in enumerate(columns) if name in self.source.bound.writes]
        if not (before and written) or estimate is None:
            return None
        sizes = (sum(2 * len(str(values[n]).encode()) for n in written) for values in before.values())
        return estimate * (IMAGE_OVERHEAD + sum(sizes) // len(before))

    def _forecast(self, batch: Batch, seconds: float, rows: int, estimate: int | None) -> float | None:
        """By the rate of the first batch; where that holds all rows there are, by itself."""
        if batch.is_last:
            return seconds
        return None if estimate is None else seconds / max(rows, 1) * estimate

    def _columns_shown(self) -> tuple[str, ...]:
        bound = self.source.bound
        return tuple(dict.fromkeys([*(bound.fetches or sorted(bound.reads)), *bound.writes]))

    def _samples(self, batch: Batch, columns: Sequence[str], before: Mapping[Key, Sequence[Any]]) -> list[Sample]:
        if not isinstance(self.source, Target):
            return []
        self._note_rows_that_stay(self.source, batch)
        after = self.source.snapshot(batch, columns, everything=True)
        return [_sample(key, columns, before[key], after.get(key)) for key in list(before)[:SAMPLES]]

    def _change(self, write: Write) -> ChangePlan:
        shape = write.shape
        self.others_written += [f"{shape.table}.{name}" for name in shape.columns] or [f"rows of {shape.table}"]
        rows = write.relation.rows[:SAMPLES] if isinstance(write.relation, Recordset) else ()
        return ChangePlan(shape.verb, shape.table, [_row(write, match, values) for match, values in rows])

    def _note_fresh_values(self, reading: Reading, answer: Answer) -> None:
        if reading.rows and not self.source.bound.performs:
            again = self.source.apply(reading, Given(self.source.transform, self.source.database))
            if again.writes != answer.writes:
                self._warn(
                    "fresh-values", "called twice on the same rows it gives different values (a random one, a time)"
                )

    def _note_rows_that_stay(self, target: Target, batch: Batch) -> None:
        left = len(target.snapshot(batch, ())) if target.repeatability.shrinks else 0
        if left:
            self._warn("rows-stay", f"{counted(left, 'row')} of the first batch still match where after being written")

    def _warn(self, code: str, message: str) -> None:
        self.findings.append(Finding(code, f"{self.source.name}: {message}", Severity.WARNING))


def _sample(key: Key, columns: Sequence[str], before: Sequence[Any], after: Sequence[Any] | None) -> Sample:
    shown = dict(zip(columns, before, strict=True))
    if after is None:
        return Sample(key, shown, None)
    changed = [n for n in range(len(columns)) if before[n] != after[n]]
    return Sample(key, shown, {columns[n]: after[n] for n in changed})


def _row(write: Write, match: Key, values: Sequence[Any]) -> Mapping[str, Any]:
    """A changed row as people read it: what it is known by, and what it gets."""
    shape = write.shape
    known_by = {} if shape.verb is Verb.INSERT else dict(zip(shape.match, match, strict=True))
    given = dict(zip(shape.columns, values, strict=True))
    linked = {name: f"the key of the {v.table} row" for name, v in given.items() if isinstance(v, Insert)}
    return {**known_by, **given, **linked}
