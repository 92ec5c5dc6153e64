"""States: what all tables of a test hold, to be compared before and after."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from backfill import schema

State = dict[str, list[tuple[Any, ...]]]


def state_of(engine: sa.Engine) -> State:
    """The rows of every table that is none of ours, in an order that does not depend on where they lie."""
    metadata = sa.MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection, resolve_fks=False)
        return {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in metadata.tables.values()
            if not table.name.startswith("backfill_")
        }


def image_tables(engine: sa.Engine) -> list[str]:
    """The tables of images that are there."""
    return [name for name in sa.inspect(engine).get_table_names() if name.startswith(schema.IMAGE_PREFIX)]
