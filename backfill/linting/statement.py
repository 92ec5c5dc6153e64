"""Statement: what an executed statement does to rows or schema, whether it was written as SQL or built with Core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ROW_VERBS = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "UPSERT", "TRUNCATE", "COPY"})
SCHEMA_VERBS = frozenset({"CREATE", "ALTER", "DROP", "RENAME", "COMMENT"})

_CATALOGS = ("pg_", "sqlite_", "information_schema", "mysql.", "alembic_version")


@dataclass(frozen=True)
class Constant:
    """A value that the text says."""

    value: Any


@dataclass(frozen=True)
class Copied:
    """The value of another column of the same row."""

    column: str


@dataclass(frozen=True)
class Computed:
    """Anything else, and which columns it reads, as far as one can see."""

    reads: frozenset[str] = frozenset()


Value = Constant | Copied | Computed


@dataclass(frozen=True)
class Condition:
    """`column = value`, or `column IS NULL`, where the value is None."""

    column: str
    value: Constant


@dataclass(frozen=True)
class Filter:
    """Which rows: the columns it looks at, and its conditions where it is a plain AND of them."""

    columns: frozenset[str] = frozenset()
    conditions: tuple[Condition, ...] | None = None
    is_ranged: bool = False
    """Whether it takes a range of keys, or a list of them."""


@dataclass(frozen=True)
class Statement:
    """One statement, as far as reading can tell."""

    verb: str
    table: str | None = None
    assigned: Mapping[str, Value] = field(default_factory=dict)
    where: Filter | None = None
    source: str | None = None
    """The table an INSERT takes its rows from; what a RENAME was called before."""
    order: Sequence[str] | None = None
    is_limited: bool = False
    is_offset: bool = False
    is_temporary: bool = False

    @property
    def writes_rows(self) -> bool:
        """Whether it changes rows that outlive the session and belong to the project."""
        is_catalog = (self.table or "").lower().startswith(_CATALOGS)
        return self.verb in ROW_VERBS and not is_catalog and not self.is_temporary

    @property
    def changes_schema(self) -> bool:
        """Whether it changes what outlives the session."""
        return self.verb in SCHEMA_VERBS and not self.is_temporary

    @property
    def is_pinned(self) -> bool:
        """Whether it takes single rows, by a key that the text names."""
        conditions = (self.where and self.where.conditions) or ()
        return any(_is_key(each.column) and each.value.value is not None for each in conditions)


def _is_key(column: str) -> bool:
    return column.lower() in ("id", "uuid", "key", "pk", "slug") or column.lower().endswith(("_id", "_uuid"))
