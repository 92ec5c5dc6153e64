"""Write: what becomes of rows, as data; whatever form a transform has, it ends in a list of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backfill.key import Key


class Verb(StrEnum):
    """What is done to the matched rows."""

    UPDATE = "update"


@dataclass(frozen=True)
class Recordset:
    """Rows computed in Python: for each, its key and the values of the written columns."""

    rows: Sequence[tuple[Key, tuple[Any, ...]]]


@dataclass(frozen=True)
class Projection:
    """Expressions over the rows of the batch, which never leave the database; one per written column."""

    values: Mapping[str, Any]


@dataclass(frozen=True)
class Write:
    """Apply `relation` to the batch's table: `verb` the rows that `match`, setting `columns`."""

    verb: Verb
    match: tuple[str, ...]
    columns: tuple[str, ...]
    relation: Recordset | Projection
