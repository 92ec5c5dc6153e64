"""Runs the revisions on the database that DATABASE_URL names, for `alembic`, `flask db` and `backfill` alike."""

import logging
from typing import Any

from alembic import context
from sqlalchemy import NullPool, create_engine

from migrations.models import DATABASE_URL, Base


def run_migrations(**target: Any) -> None:
    """Run them on a connection, or as a script for a URL."""
    context.configure(**target, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


logging.basicConfig(level=logging.INFO, format="%(levelname)-5.5s [%(name)s] %(message)s")

if context.is_offline_mode():
    run_migrations(url=DATABASE_URL, literal_binds=True)
else:
    with create_engine(DATABASE_URL, poolclass=NullPool).connect() as connection:
        run_migrations(connection=connection)
