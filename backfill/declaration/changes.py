"""Changes: what a function may return beside the new values of its row. They are data, compared by value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema
from sqlalchemy import SelectBase
from typing_extensions import TypeVar

from backfill.errors import DeclarationError

M = TypeVar("M", bound=BaseModel, default=Any)


class Change:
    """What a function may return beside a model, for annotations: `-> list[Change]`. Equal when all parts are."""

    __hash__ = None  # type: ignore[assignment]  # models have none either

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


class Insert(Change, Generic[M]):
    """A new row of a table.

    As the value of a field it stands for the key that the database gives the row: the row is inserted first. One
    object is one row, however often it is used in one batch; two equal objects are two.

    Args:
        table: `"table"` or `"schema.table"`.
        values: a model of the row's columns, or column to value; from `Rows` also a select.
        match: columns by which a row that is there already is known; such a row is kept, and nothing is inserted.
            None matches NULL.
        update: columns of such a row that get the new values all the same.
    """

    def __init__(
        self,
        table: str,
        values: M | Mapping[str, Any] | SelectBase,
        /,
        *,
        match: str | Iterable[str] = (),
        update: str | Iterable[str] = (),
    ) -> None:
        self.table = table
        self.values = values
        self.match = _names(match)
        self.update = _names(update)
        if self.update and not self.match:
            raise DeclarationError(
                f'Insert("{table}"): update= needs match=, which says how a row is known', code="update-without-match"
            )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let models have fields of this type; the object itself is kept, since it is one row."""
        return core_schema.is_instance_schema(Insert)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """What a fingerprint needs to know of it."""
        return {"type": "object", "title": "Insert"}


class Update(Change):
    """New values for the rows of a table in which every column named by keyword has the value given; None is NULL."""

    def __init__(self, table: str, values: BaseModel | Mapping[str, Any], /, **match: Any) -> None:
        self.table = table
        self.values = values
        self.match = match
        if not match:
            raise DeclarationError(
                f'Update("{table}") says of no row that it is meant: name a column, as in '
                f'Update("{table}", ..., id=7). This row itself is updated by returning the model alone',
                code="update-of-none",
            )


class Delete(Change):
    """The end of this row, or of the rows of a table in which every column named has the value given."""

    def __init__(self, table: str | None = None, /, **match: Any) -> None:
        self.table = table
        self.match = match
        if bool(match) != (table is not None):
            raise DeclarationError(
                'Delete() is this row; rows of another table are named by a column: Delete("policy_log", policy_id=7)',
                code="delete-of-what",
            )


def _names(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
