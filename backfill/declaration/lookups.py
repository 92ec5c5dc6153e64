"""Lookup: a field of the input model that is filled from other rows, one select per batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from sqlalchemy import ClauseElement, ColumnElement, Select

from backfill.declaration.aggregation import combines_rows, is_distinct
from backfill.declaration.models import columns_of_model
from backfill.errors import DeclarationError


@dataclass(frozen=True)
class Lookup:
    """What a field is filled with: one value, one row or None, or a list."""

    name: str
    """By which the model takes it: the field's alias, or its name."""
    statement: Select[Any]
    is_list: bool
    is_bare: bool
    """Values rather than rows: the select has one column."""

    @property
    def acts_on_rows_together(self) -> bool:
        """Whether it counts, sums or limits: then it is asked for each row as a subquery."""
        return combines_rows(self.statement) or is_distinct(self.statement)


@dataclass(frozen=True)
class BoundLookup:
    """A lookup tied to the walked table."""

    declared: Lookup
    statement: Select[Any] | None
    """A select that the walked table stands in; None where a subquery for each row takes its place."""
    subquery: ColumnElement[Any] | None

    @property
    def source(self) -> ClauseElement:
        """Whichever of the two it is."""
        found = self.subquery if self.statement is None else self.statement
        assert found is not None, "it is one of the two"
        return found

    @property
    def names(self) -> Sequence[str]:
        """What the select's columns are called."""
        return [str(column.key) for column in self.declared.statement.selected_columns]


def read_lookups(function: str, model: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Lookup]:
    """The lookups of a model, by field.

    Raises:
        DeclarationError: a field or a select does not fit.
    """
    return {field: _read(f"{function}: lookups[{field!r}]", model, field, given[field]) for field in given}


def bind_lookup(
    lookup: Lookup,
    adapt: Callable[[ColumnElement[Any]], ColumnElement[Any]],
    adapt_select: Callable[[Select[Any]], Select[Any]],
) -> BoundLookup:
    """Tie a lookup to the walked table, by what ties an expression or a select to it."""
    if lookup.acts_on_rows_together:
        return BoundLookup(lookup, None, adapt(lookup.statement.scalar_subquery()))
    return BoundLookup(lookup, adapt_select(lookup.statement), None)


def _read(what: str, model: type[BaseModel], field: str, statement: Any) -> Lookup:
    if field not in model.model_fields:
        raise DeclarationError(f"{what}: {model.__name__} has no such field", code="lookup-field")
    if not isinstance(statement, Select):
        raise DeclarationError(f"{what} takes a select(...), not {type(statement).__name__}", code="lookup-form")
    is_list, item = _kind(model.model_fields[field].annotation)
    lookup = Lookup(columns_of_model(model)[field], statement, is_list, item is None)
    if item is None and len(statement.selected_columns) != 1:
        raise DeclarationError(
            f"{what} selects {len(statement.selected_columns)} columns for a field that holds values; "
            "give the field a model, or select one column",
            code="lookup-columns",
        )
    if item is not None:
        _require_fields(what, item, lookup)
    if (is_list or item is not None) and lookup.acts_on_rows_together:
        raise DeclarationError(
            f"{what} counts, sums or limits, which would act on the whole batch; only a field of one value may do so",
            code="lookup-combines",
        )
    return lookup


def _require_fields(what: str, item: type[BaseModel], lookup: Lookup) -> None:
    selected = {column.key for column in lookup.statement.selected_columns}
    for field, column in columns_of_model(item).items():
        if column not in selected and item.model_fields[field].is_required():
            raise DeclarationError(
                f"{what} does not select {column}, which {item.__name__} asks for", code="lookup-lacks"
            )


def _kind(annotation: Any) -> tuple[bool, type[BaseModel] | None]:
    """Whether the field is a list, and the model of its rows if it holds rows."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, UnionType):
        (first, *_) = [member for member in get_args(annotation) if member is not NoneType]
        return _kind(first)
    if isinstance(origin, type) and issubclass(origin, Sequence | set | frozenset):
        return True, _kind(get_args(annotation)[0])[1]
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return False, annotation if is_model else None
