"""Scratch: a throw-away SQLite file, the same one for all rehearsals of a process."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from sqlalchemy import URL, Engine, MetaData, NullPool, create_engine, event

ACCEPTED = ("synchronous",)
"""A file that is thrown away need not wait for the disk."""


@contextmanager
def scratch(metadata: MetaData) -> Iterator[Engine]:
    """An engine on a file in which these tables are, until it is left."""
    engine = _engine()
    metadata.create_all(engine)
    try:
        yield engine
    finally:
        metadata.drop_all(engine)


@cache
def _engine() -> Engine:
    """One engine keeps what it has compiled; a connection is closed as soon as it is given back."""
    folder = Path(mkdtemp(prefix="backfill_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    engine = create_engine(URL.create("sqlite", database=str(folder / "scratch.db")), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _relax(connection: Any, _: object) -> None:
        connection.execute("PRAGMA synchronous = OFF").close()

    return engine
