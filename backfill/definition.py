"""Definition: what a transform is, as data that can be compared, kept and shown."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
)
from pydantic_core import to_json
from sqlalchemy import ColumnElement

from backfill.conditions import Condition, from_mapping, render

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
"""A transform's name, its file, its argument on the command line and its key in the ledger: one word."""

TableName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""`table`, or `schema.table`."""


class Arrival(StrEnum):
    """How rows reach a function."""

    ROW = "row"
    COLUMNS = "columns"


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _as_condition(value: Any) -> Any:
    if value is None or isinstance(value, ColumnElement):
        return value
    if isinstance(value, dict):
        return from_mapping(value)
    raise ValueError('where is an expression, such as is_missing("skills") or column("state") == \'open\'')


def _rendered(condition: Condition | None) -> str | None:
    return None if condition is None else render(condition)


class Definition(BaseModel):
    """What a transform is. `transforms/NAME.json` holds one as it is; the decorator makes one from a function."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    name: Name
    tables: Annotated[tuple[TableName, ...], BeforeValidator(_as_tuple)] = Field(
        validation_alias=AliasChoices("tables", "table"), min_length=1
    )
    where: Annotated[Condition | None, BeforeValidator(_as_condition), PlainSerializer(_rendered)] = None
    arrival: Arrival = Arrival.COLUMNS
    values: dict[str, JsonValue] | None = Field(default=None, validation_alias=AliasChoices("values", "set"))
    """Literal values, where the definition is pure data."""
    reads: dict[str, Any] | None = None
    """JSON schema of the input model."""
    writes: list[dict[str, Any]] = []
    """JSON schemas of the output models."""
    code: str | None = None
    """The function's module, free of comments and layout."""
    description: str = ""

    def fingerprint(self, columns: object) -> str:
        """A SHA-256 over everything that decides what a row becomes, the target's `columns` among it."""
        kept = self.model_dump(mode="json", exclude={"description"})
        return hashlib.sha256(to_json([kept, columns])).hexdigest()


Document = TypeAdapter(dict[str, Any])
"""A JSON definition before it is looked at: an object."""
