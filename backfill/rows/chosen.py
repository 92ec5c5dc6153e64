"""Chosen: rows that are picked by their keys, as many at a time as a statement takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement

from backfill.database import Database
from backfill.declaration.conditions import Condition
from backfill.key import Key

MOST_PARAMETERS = 30_000
"""Values of keys in one statement: PostgreSQL takes 65,535, SQLite 32,766."""


def among(database: Database, columns: Sequence[ColumnElement[Any]], keys: Sequence[Key]) -> list[Condition]:
    """Conditions that together take the rows of these keys, none of them too long for a statement."""
    step = MOST_PARAMETERS // len(columns)
    return [database.dialect.among(columns, keys[n : n + step]) for n in range(0, len(keys), step)]
