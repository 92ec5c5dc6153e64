"""Sections: what is compared with what, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from benchmarks import jobs
from benchmarks.contender import Contender
from benchmarks.contenders import batches, delembic, django, loops, one_update, orm, ours
from benchmarks.jobs import Job
from benchmarks.tables import Kind, Recipe

Unit = Literal["rows/s", "seconds", "times"]

TENTH = 0.1
"""Of the rows, for contenders so slow, at a rate that does not depend on the table's size, that nobody would wait."""


@dataclass(frozen=True)
class Row:
    """One line of a section's table."""

    name: str
    contender: Contender
    times: float = 1.0
    """How many times the rows asked for its table has."""
    recipe: Recipe | None = None
    """Its table, where that is another one than the section's."""
    fills: bool = True
    """Whether all rows are filled afterwards, and checked."""
    is_large: bool = False
    """Only where tables of millions of rows are asked for."""
    databases: tuple[str, ...] = ()
    """Where it can run; everywhere if none is named."""

    def runs_on(self, database: str) -> bool:
        """Whether it can run there at all."""
        return not self.databases or database in self.databases


@dataclass(frozen=True)
class Section:
    """A table of figures, all of one unit."""

    name: str
    title: str
    job: Job
    rows: tuple[Row, ...]
    against: str | None = None
    """The row that the others are measured by."""
    unit: Unit = "rows/s"
    recipe: Recipe = field(default_factory=Recipe)


def _in_batches_of(transform: str, *sizes: int) -> tuple[Row, ...]:
    return tuple(
        Row(f"backfill, batches of {size:,}", partial(ours.backfilled, transform=transform, batch=size))
        for size in sizes
    )


def _walks_alone(transform: str, *sizes: int) -> tuple[Row, ...]:
    return tuple(
        Row(f"batches of {size:,}, the walk alone", partial(ours.walked, transform=transform, batch=size))
        for size in sizes
    )


def _as_it_comes(transform: str) -> Row:
    return Row("backfill", partial(ours.backfilled, transform=transform))


def _two_workers(transform: str, batch: int = 10_000) -> Row:
    return Row("backfill, 2 workers", partial(ours.backfilled, transform=transform, batch=batch, workers=2))


SET_BASED = Section(
    "set-based",
    "A constant, which never leaves the database",
    jobs.CONSTANT,
    (
        Row("one UPDATE", one_update.constant),
        Row("hand-written loop", loops.constant),
        Row("hand-written, batches of 5,000", partial(loops.constant, batch=5_000)),
        Row("the same, with a proof", partial(loops.constant, batch=5_000, proves=True)),
        _as_it_comes("default_skills"),
        *_in_batches_of("default_skills", 500, 1_000, 5_000, 10_000, 50_000),
        *_walks_alone("default_skills", 5_000, 10_000),
        _two_workers("default_skills"),
        Row("delembic, one UPDATE", partial(delembic.upgraded, revision="one_update")),
    ),
    against="one UPDATE",
)

ROW_BY_ROW = Section(
    "row-by-row",
    "Names split in Python",
    jobs.NAMES,
    (
        Row("one UPDATE", one_update.names),
        Row("hand-written loop", loops.names),
        _as_it_comes("split_full_name"),
        *_in_batches_of("split_full_name", 1_000, 10_000),
        _two_workers("split_full_name"),
        Row("delembic, executemany", partial(delembic.upgraded, revision="executemany")),
        Row("ORM loop", orm.names),
        Row("ORM loop by OFFSET", orm.names_by_offset),
        Row("Django bulk_update", django.names_by_bulk_update, times=TENTH),
        Row("django-maintenance-tasks", django.names_by_task, times=TENTH),
    ),
    against="one UPDATE",
)

DOCUMENTS = Section(
    "documents",
    "Skills made of a text, validated by pydantic, as JSON",
    jobs.SKILLS,
    (
        Row("ORM loop with pydantic", orm.skills),
        _as_it_comes("skills_of_bio"),
        *_in_batches_of("skills_of_bio", 1_000, 10_000),
        _two_workers("skills_of_bio"),
    ),
    against="ORM loop with pydantic",
)


def _keys(kind: Kind) -> Section:
    return Section(
        f"{kind}-key",
        f"A constant, by a key that is {kind}",
        jobs.CONSTANT,
        (
            Row("one UPDATE", one_update.constant),
            Row("hand-written loop", loops.constant),
            *_in_batches_of("default_skills", 5_000, 10_000),
            _two_workers("default_skills"),
        ),
        against="one UPDATE",
        recipe=Recipe(kind),
    )


_SPARSE = Recipe(is_sparse=True)
_SPARSE_INDEXED = Recipe(is_sparse=True, is_indexed=True)
_WITH_INDEX = ("postgresql", "sqlite")
"""Databases with partial indexes."""

SPARSE = Section(
    "sparse",
    "One row in 1,000 is still to be filled: in times of a scan of the table",
    jobs.FIRST_NAMES,
    (
        Row("one full scan", one_update.full_scan, fills=False),
        Row("one UPDATE", one_update.missing_names),
        _as_it_comes("name_by_email"),
        Row("backfill, in Python", partial(ours.backfilled, transform="split_full_name")),
        Row("one UPDATE, partial index", one_update.missing_names, recipe=_SPARSE_INDEXED, databases=_WITH_INDEX),
        Row(
            "backfill, partial index",
            partial(ours.backfilled, transform="name_by_email"),
            recipe=_SPARSE_INDEXED,
            databases=_WITH_INDEX,
        ),
    ),
    against="one full scan",
    unit="seconds",
    recipe=_SPARSE,
)


_DRIFT_BY_HAND = (
    Row("a loop by hand", loops.drift),
    Row("a loop by hand, 25 times the rows", loops.drift, times=25, is_large=True),
)


def _drift(transform: str, job: Job, *others: Row) -> Section:
    contender = partial(batches.drift, transform=transform)
    rows = (
        Row("the rows", contender),
        Row("5 times the rows", contender, times=5),
        Row("25 times the rows", contender, times=25, is_large=True),
        *others,
    )
    title = f"{transform}: the last tenth of the batches in times of the first"
    return Section(f"flatness-{transform}", title, job, rows, unit="times")


RESUME = Section(
    "resume",
    "From the call to the first batch committed",
    jobs.NAMES,
    (
        Row("a new run", partial(batches.first_batch, transform="split_full_name")),
        Row(
            "resumed after SIGKILL half-way",
            partial(batches.first_batch, transform="split_full_name", after_kill=True),
        ),
    ),
    against="a new run",
    unit="seconds",
)


def _undo(transform: str, job: Job) -> Section:
    return Section(
        f"undo-{transform}",
        f"{transform}: what images of every row cost, and putting all rows back",
        job,
        (
            _as_it_comes(transform),
            Row("backfill, keeping images", partial(ours.backfilled, transform=transform, keep_undo=True)),
            Row("backfill undo", partial(ours.undone, transform=transform), fills=False),
        ),
        against="backfill",
    )


SECTIONS = (
    SET_BASED,
    *(_keys(kind) for kind in (Kind.GAPPY, Kind.UUID, Kind.COMPOSITE)),
    ROW_BY_ROW,
    DOCUMENTS,
    SPARSE,
    _drift("default_skills", jobs.CONSTANT, *_DRIFT_BY_HAND),
    _drift("split_full_name", jobs.NAMES),
    RESUME,
    _undo("default_skills", jobs.CONSTANT),
    _undo("split_full_name", jobs.NAMES),
)
