"""Definition: what a transform is, as data that can be compared, kept and shown."""

from __future__ import annotations

import hashlib
import re
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    StrictBool,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError, to_json
from sqlalchemy import ClauseElement, ColumnElement

from backfill.declaration.conditions import NO_TEXT, Condition, from_mapping, has_text, render, volatile_function
from backfill.declaration.ordering import Ordering, read_ordering
from backfill.errors import DeclarationError


def _require_word(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", name):
        raise PydanticCustomError(
            "transform-name", "a transform's name is one word: lower-case letters, digits and _, at most 100 of them"
        )
    return name


def _require_table(name: str) -> str:
    if not re.fullmatch(r"[^.]+(\.[^.]+)?", name) or not name.isprintable():
        raise PydanticCustomError("table-name", 'a table is named "table" or "schema.table"')
    return name


Name = Annotated[str, AfterValidator(_require_word)]
"""A transform's name, its file, its argument on the command line and its key in the ledger: one word."""

TableName = Annotated[str, StringConstraints(max_length=200), AfterValidator(_require_table)]
"""`table`, or `schema.table`."""


class Kind(StrEnum):
    """What a function is to us."""

    TRANSFORM = "transform"
    SEED = "seed"
    STEP = "step"


class Arrival(StrEnum):
    """How rows reach a function."""

    ROW = "row"
    BATCH = "batch"
    COLUMNS = "columns"
    NONE = "none"


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _require_each_once(tables: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({table for table in tables if tables.count(table) > 1}):
        raise PydanticCustomError(
            "table-twice", "{twice} is named twice; each table is walked once", {"twice": ", ".join(twice)}
        )
    return tables


def _as_condition(value: Any) -> Any:
    if isinstance(value, dict):
        return from_mapping(value)
    value = value.__clause_element__() if hasattr(value, "__clause_element__") else value
    if isinstance(value, ClauseElement) and has_text(value):
        raise PydanticCustomError("where-raw-sql", NO_TEXT)
    if isinstance(value, ColumnElement) and (name := volatile_function(value)):
        raise PydanticCustomError(
            "where-volatile", f"{name}() is not the same each time it is asked, so no row could be proven to be done"
        )
    if value is None or isinstance(value, ColumnElement):
        return value
    raise PydanticCustomError(
        "where-form",
        'it takes an expression, such as is_missing("skills") or column("state") == "open"; '
        'in a JSON file an object, such as {"skills": null}',
    )


def _require_groups(columns: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if columns and len(set(columns)) < len(columns):
        raise PydanticCustomError("group-twice", "it names a column twice")
    return columns


def _as_ordering(value: Any) -> Any:
    try:
        return read_ordering(value)
    except DeclarationError as error:
        raise PydanticCustomError(error.code, str(error)) from None


def _spelt(order: tuple[Ordering, ...]) -> list[str]:
    return [f"{render(step.expression)}{' DESC' if step.is_descending else ''}" for step in order]


def _rendered(condition: Condition | None) -> str | None:
    return None if condition is None else render(condition)


class Definition(BaseModel):
    """What a transform is. `transforms/NAME.json` holds one as it is; the decorator makes one from a function."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    name: Name
    tables: Annotated[tuple[TableName, ...], BeforeValidator(_as_tuple), AfterValidator(_require_each_once)] = Field(
        default=(), validation_alias=AliasChoices("tables", "table")
    )
    kind: Kind = Kind.TRANSFORM
    where: Annotated[Condition | None, BeforeValidator(_as_condition), PlainSerializer(_rendered)] = None
    arrival: Arrival = Arrival.COLUMNS
    values: dict[str, JsonValue] | None = Field(default=None, validation_alias=AliasChoices("values", "set"))
    """Literal values, where the definition is pure data."""
    deletes: StrictBool = Field(default=False, validation_alias=AliasChoices("deletes", "delete"))
    """The rows are deleted, where the definition is pure data."""
    rows: list[dict[str, JsonValue]] | None = Field(default=None, validation_alias=AliasChoices("rows", "insert"))
    """Rows of a seed, where the definition is pure data."""
    match: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    update: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    group_by: Annotated[tuple[str, ...] | None, BeforeValidator(_as_tuple), AfterValidator(_require_groups)] = None
    """Columns of which equal values make a group; none of them: all rows are one group."""
    order_by: Annotated[tuple[Ordering, ...], BeforeValidator(_as_ordering), PlainSerializer(_spelt)] = ()
    """In which order rows are walked, or stand in their group."""
    keep_undo: bool = False
    """Images of what the rows held are kept, so that a run can be undone."""
    lookups: dict[str, str] = {}
    """Selects of the fields that are no columns."""
    state: dict[str, Any] | None = None
    """JSON schema of what is carried from batch to batch."""
    reads: dict[str, Any] | None = None
    """JSON schema of the input model."""
    writes: list[dict[str, Any]] = []
    """JSON schemas of the output models."""
    code: str | None = None
    """The function's module, free of comments and layout."""
    description: str = ""

    @model_validator(mode="after")
    def _require_table(self) -> Self:
        if not self.tables and self.kind is Kind.TRANSFORM:
            raise PydanticCustomError("no-table-named", 'tables: name the table to walk: @transform("users")')
        if self.order_by and self.group_by is None and not all(step.name for step in self.order_by):
            raise PydanticCustomError(
                "order-expression", "a table is walked by columns; an expression may only sort the rows of a group"
            )
        return self

    @property
    def tables_walked(self) -> tuple[str, ...]:
        """The tables whose rows are walked: none for a seed, whose tables are written alone."""
        return () if self.kind is Kind.SEED else self.tables

    def fingerprint(self, columns: object) -> str:
        """A SHA-256 over everything that decides what a row becomes, the target's `columns` among it."""
        kept = self.model_dump(mode="json", exclude={"description", "keep_undo"})
        return hashlib.sha256(to_json([kept, columns])).hexdigest()
