"""Permission: which statements a function may send by the connection that it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from backfill.errors import Rejected

_READS = re.compile(r"[\s(]*(SELECT|WITH|VALUES|TABLE|EXPLAIN|SHOW|PRAGMA\s+\w+\s*(\(|;|$))", re.IGNORECASE)
_WRITES = re.compile(r"\b(INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|MERGE\s+INTO)\b", re.IGNORECASE)
_DEFINES = re.compile(r"\s*(ALTER|TRUNCATE|RENAME|CREATE|DROP)\s+(?!((GLOBAL|LOCAL)\s+)?TEMP)", re.IGNORECASE)
_ASIDE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""What must not be taken for words of a statement: literals and comments."""


@contextmanager
def permitted(connection: Connection, *, to_write: bool) -> Iterator[None]:
    """Let a function look things up, and a step write rows; the schema is for revisions to change."""

    def judge(_: Any, __: Any, statement: str, *___: Any) -> None:
        words = _ASIDE.sub(" ", statement)
        if not to_write and (not _READS.match(words) or _WRITES.search(words)):
            raise Rejected(
                "a transform returns its changes; connection only reads. "
                'Return Update("table", ..., id=...), or make it a step'
            )
        if defines := _DEFINES.match(words):
            raise Rejected(
                f"{defines[1].upper()} changes the schema; a step changes rows, in batches that can be taken back. "
                "Let a revision of its own do it, before or after this one (a temporary table is fine)"
            )

    event.listen(connection, "before_cursor_execute", judge)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", judge)
