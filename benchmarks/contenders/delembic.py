"""Delembic: a data migration is one transaction, and what it executes is the author's affair."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from benchmarks.contender import NotAvailable, Target, Work

REVISIONS = Path(__file__).parent.parent / "revisions"


def upgraded(target: Target, revision: str) -> Work:
    """`delembic upgrade` to one revision."""
    if find_spec("delembic") is None:
        raise NotAvailable("delembic is not installed")
    from delembic.db import ensure_tables  # noqa: PLC0415  # an extra
    from delembic.executor import run_upgrade  # noqa: PLC0415

    engine = target.engine()
    try:
        with engine.begin() as connection:
            ensure_tables(connection)
    except DBAPIError:
        raise NotAvailable("delembic cannot make its own tables on this database") from None

    def work() -> None:
        run_upgrade(engine, REVISIONS, target=revision)
        engine.dispose()

    return work
