"""Backfill itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from backfill.catalog import Catalog
from backfill.database import Database
from backfill.running.runner import run
from backfill.settings import Settings
from benchmarks.contender import NotAvailable, Target, Work

TRANSFORMS = "benchmarks.transforms"


def backfilled(target: Target, transform: str, batch: int | None = None, **options: Any) -> Work:
    """A transform, in batches of one size, or as large as backfill thinks best."""
    if target.database == "sqlite" and "workers" in options:
        raise NotAvailable("SQLite has one writer at a time")
    settings = settings_with(batch, **options)
    engine = target.engine()
    return lambda: run_on(engine, transform, settings)


def run_on(engine: Engine, transform: str, settings: Settings) -> None:
    """Run it to its end."""
    with Database.of(engine, settings.limits) as database:
        run(database, Catalog(TRANSFORMS).find(transform), settings)
    engine.dispose()


def settings_with(batch: int | None = None, **options: Any) -> Settings:
    """The settings of a run; raises NotAvailable for those that this version does not have."""
    unknown = [name for name in options if name not in Settings.model_fields]
    if unknown:
        raise NotAvailable(f"this version has no setting {', '.join(unknown)}")
    sizes: dict[str, Any] = {} if batch is None else {"batch_size": batch, "max_batch_size": batch}
    return Settings(transforms=TRANSFORMS, **sizes, **options)
