"""Form: how rows arrive at a function, and what its answer writes. One file a form in `forms/`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel
from sqlalchemy import ColumnElement, Select, Table
from sqlalchemy.sql.selectable import NamedFromClause

from backfill.declaration.lookups import BoundLookup, Lookup
from backfill.declaration.writes import Shape, Write
from backfill.key import Key

Arguments = Mapping[str, Any]
"""What a function is given beside its rows, by the name of the parameter: a connection, a state."""


Row = tuple[Key, Mapping[str, Any], int]
"""A row as it is read: its key; the columns asked for and the look-ups, by name; and the number of its group.

Rows of one group stand together. A bare tuple, since a batch makes ten thousand of them.
"""


@dataclass(frozen=True)
class Reading:
    """What was read of a batch."""

    rows: Sequence[Row] = ()
    """Empty where the rows stay in the database."""
    keys: Sequence[Key] | None = None
    """The rows that every write of the batch is about, where a condition asked again could take others."""
    columns: NamedFromClause | None = None
    """The batch as SQL columns, for a step."""


@dataclass(frozen=True)
class Answer:
    """What a function said of a batch."""

    writes: Sequence[Write] = ()
    skipped: int = 0
    """Rows that it left as they are."""
    performed: int = 0
    """Rows that a step says it has written."""


@dataclass(frozen=True)
class Walked:
    """The live table that a form is tied to."""

    table: Table
    key: tuple[str, ...]
    adapt: Callable[[ColumnElement[Any]], ColumnElement[Any]]
    """Ties an expression of the user's to the table's own columns."""
    adapt_select: Callable[[Select[Any]], Select[Any]]
    """Ties a select of the user's, in which the table stands among others."""
    is_by_key: bool = True
    """Rows come in the order of their key."""
    is_grouped: bool = False
    """A batch holds whole groups."""

    @property
    def name(self) -> str:
        """The table's name as the definition spells it."""
        return self.table.fullname


@dataclass(frozen=True)
class Bound:
    """A form tied to one live table: from here on everything is columns of it."""

    fetches: tuple[str, ...] | None
    """Columns fetched for each row; None when the rows stay in the database."""
    reads: frozenset[str]
    """Columns that the new values depend on."""
    writes: tuple[str, ...]
    """Columns of the walked table that may be written."""
    never_null: frozenset[str]
    """Written columns that are never written as NULL."""
    literals: Mapping[str, Any]
    """Values that are known before any row is read, by column."""
    looks_elsewhere: bool
    """The new values depend on other rows too, so rows are locked before they are evaluated."""
    apply: Callable[[Reading, Arguments], Answer]
    """The function itself: rows in, writes out, no I/O but what it does with a connection."""
    lookups: Sequence[BoundLookup] = ()
    """Fields that are filled from other rows."""
    fixes_rows: bool = False
    """Several statements are about the same rows, so these are found once."""
    shapes: Sequence[Shape] | None = ()
    """What is written beside columns of the walked rows; None where only the function's answers tell."""
    foreknown: Sequence[Write] = ()
    """Writes that are known before any row is read."""
    looks_at: frozenset[str] = frozenset()
    """Tables whose rows the new values are looked up in."""
    is_stateful: bool = False
    """A state is carried from batch to batch."""
    performs: bool = False
    """The function writes by itself."""
    links: bool = False
    """Written values may stand for keys of rows that are inserted for them."""

    @property
    def only_sets(self) -> bool:
        """Whether nothing is written but columns of the walked rows."""
        return self.shapes == () and not self.performs and not self.links


class Form(Protocol):
    """How rows arrive at a function, and what its answer writes."""

    noun: str
    """How rows arrive, in the words that `plan` shows."""
    reads: type[BaseModel] | None
    """The model that a row is read into."""
    outputs: tuple[type[BaseModel], ...]
    """The models of the row's new values that may be returned; empty when the answer is a mapping."""
    lookups: Mapping[str, Lookup]
    """Fields of the input model that are no columns."""

    def bind(self, walked: Walked | None) -> Bound:
        """Tie the form to a live table, or to none; raises DeclarationError where it does not fit."""
        ...
