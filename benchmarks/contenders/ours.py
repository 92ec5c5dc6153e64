"""Backfill itself."""

from __future__ import annotations

from functools import partial
from typing import Any

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from backfill.catalog import Catalog
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.ledger import Ledger
from backfill.run import Run
from backfill.running.crew import Work as CrewWork
from backfill.running.runner import run
from backfill.running.undoer import undo
from backfill.settings import Settings
from benchmarks.contender import NotAvailable, Target, Work

TRANSFORMS = "benchmarks.transforms"

ANY_SECONDS = 60.0
"""A batch may take, where its size is given."""


def backfilled(target: Target, transform: str, batch: int | None = None, **options: Any) -> Work:
    """A transform, in batches of one size, or as large as backfill thinks best."""
    if target.database == "sqlite" and "workers" in options:
        raise NotAvailable("SQLite has one writer at a time")
    settings, engine = settings_with(batch, **options), target.engine()
    _make_ledger(engine)

    def work() -> None:
        run_on(engine, transform, settings)

    return work


def walked(target: Target, transform: str, batch: int) -> Work:
    """The same, timed by the ledger from its start to its last batch: without the checks before and the proof after."""
    settings, engine = settings_with(batch), target.engine()
    _make_ledger(engine)

    def rate() -> float:
        done = run_on(engine, transform, settings)
        assert done.started_at is not None, "it was started"
        return target.rows / (done.updated_at - done.started_at).total_seconds()

    return rate


def undone(target: Target, transform: str) -> Work:
    """The undoing of a run that has kept images of every row."""
    settings, engine = settings_with(None, keep_undo=True), target.engine()
    run_on(engine, transform, settings)

    def work() -> None:
        with Database.of(engine, settings.limits) as database:
            undo(database, transform, settings)
        engine.dispose()

    return work


def _make_ledger(engine: Engine) -> None:
    """As `backfill init` does; the loops by hand have their connection and checkpoint too when the clock starts."""
    with Database.of(engine) as database:
        Ledger(database).ensure()


def run_on(engine: Engine, transform: str, settings: Settings) -> Run:
    """Run it to its end."""
    with Database.of(engine, settings.limits) as database:
        done = run(database, found(transform), settings, reach=partial(visit, engine.url, transform))
    engine.dispose()
    return done


def visit(url: URL, transform: str, work: CrewWork) -> None:
    """Come to the database from another process, as a helper does."""
    engine = create_engine(url, poolclass=NullPool)
    with Database.of(engine) as database:
        work(database, found(transform))


def found(transform: str) -> Transform[..., Any]:
    """The transform of this name."""
    return Catalog(TRANSFORMS).find(transform)


def settings_with(batch: int | None = None, **options: Any) -> Settings:
    """The settings of a run; raises NotAvailable for those that this version does not have."""
    unknown = [name for name in options if name not in Settings.model_fields]
    if unknown:
        raise NotAvailable(f"this version has no setting {', '.join(unknown)}")
    sizes: dict[str, Any] = {}
    if batch is not None:  # one size, also after a batch that the machine was slow at
        sizes = {"batch_size": batch, "max_batch_size": batch, "batch_seconds": ANY_SECONDS}
    return Settings(transforms=TRANSFORMS, **sizes, **options)
