"""Write: what becomes of rows, as data; whatever form a transform has, it ends in a list of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Select

from backfill.declaration.changes import Insert
from backfill.key import Key


class Verb(StrEnum):
    """What is done to a table's rows."""

    UPDATE = "update"
    INSERT = "insert"
    DELETE = "delete"

    @property
    def done_to(self) -> str:
        """As in: a row that is … users."""
        return {Verb.UPDATE: "written to", Verb.INSERT: "inserted into", Verb.DELETE: "deleted from"}[self]


@dataclass(frozen=True)
class Shape:
    """What writes have in common that one statement can make."""

    verb: Verb
    table: str
    match: tuple[str, ...] = ()
    """Columns whose values say which rows are meant; of an INSERT: which rows are there already."""
    absent: tuple[str, ...] = ()
    """Columns that must be NULL in the rows that are meant."""
    columns: tuple[str, ...] = ()
    """Columns given, in the order of a recordset's values."""
    refresh: tuple[str, ...] = ()
    """Of an INSERT: columns that are updated in a row that is there already."""
    is_own: bool = False
    """The rows meant are those of the batch, by their key."""
    model: type[BaseModel] | None = None
    """The model that the values come from."""


@dataclass(frozen=True)
class Recordset:
    """Rows computed in Python: for each, the values that it is matched by and the values of the columns."""

    rows: Sequence[tuple[Key, tuple[Any, ...]]]
    is_sorted: bool = False
    """The rows stand in the order of a key that they are matched by."""
    links: Sequence[Insert[Any] | None] = ()
    """The changes that the rows were made of, where others wait for the keys that the database gives them."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Expressions over the rows of the batch, which never leave the database; one per given column."""

    values: Mapping[str, Any]
    matched: Mapping[str, Any] | None = None
    """Expressions that rows of another table are matched by."""
    source: Select[Any] | None = None
    """The select whose rows are inserted, in the place of `values`."""


Relation = Recordset | Projection
"""What is written, wherever it was computed."""


@dataclass(frozen=True)
class Write:
    """Apply a relation to a table."""

    shape: Shape
    relation: Relation
