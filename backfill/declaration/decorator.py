"""Transform: a typed function with its definition, and the decorator that declares it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from pydantic import BaseModel
from sqlalchemy import ColumnElement, SelectBase
from sqlalchemy.sql.selectable import NamedFromClause

from backfill.declaration.changes import Change
from backfill.declaration.conditions import Condition
from backfill.declaration.defining import define, form_of
from backfill.declaration.definition import Definition, Kind
from backfill.declaration.form import Form
from backfill.declaration.signature import NOTHING_GIVEN, Signature, read_signature
from backfill.errors import DeclarationError

Rows = NamedFromClause
"""The rows as SQL columns: `users.c.email`. Rows typed so never leave the database."""

P = ParamSpec("P")
Out = TypeVar("Out", covariant=True)  # noqa: PLC0105  # hovered over by every user
Row = TypeVar("Row", bound=BaseModel)
PerRow = TypeVar("PerRow", bound=BaseModel | Change | Sequence[BaseModel | Change] | None)
Projected = TypeVar("Projected", bound=BaseModel | Mapping[str, Any] | Change | Sequence[Any])
Result = TypeVar("Result", bound=int | None)

Order: TypeAlias = str | ColumnElement[Any] | Iterable[str | ColumnElement[Any]]


class Transform(Generic[P, Out]):
    """A function with its definition, whether transform, seed or step. Calling it calls the function alone."""

    def __init__(
        self, function: Callable[P, Out], definition: Definition, form: Form, given: Signature = NOTHING_GIVEN
    ) -> None:
        self.definition = definition
        self.form = form
        self.given = given
        self._function = function
        update_wrapper(self, function)

    @property
    def name(self) -> str:
        """The one word by which file, command line and ledger know it."""
        return self.definition.name

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Out:
        """Call the function itself, as a unit test does."""
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Transform {self.name} of {', '.join(self.definition.tables)}>"


class Declare(Protocol):
    """What `transform(...)` returns: the decorator, one overload for each way rows arrive."""

    @overload
    def __call__(
        self, function: Callable[Concatenate[Row, P], PerRow], /
    ) -> Transform[Concatenate[Row, P], PerRow]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[list[Row], P], Sequence[PerRow]], /
    ) -> Transform[Concatenate[list[Row], P], Sequence[PerRow]]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[Rows, P], Projected], /
    ) -> Transform[Concatenate[Rows, P], Projected]: ...


class DeclareSeed(Protocol):
    """What `seed()` returns: the decorator."""

    def __call__(self, function: Callable[P, Iterable[Change]], /) -> Transform[P, Iterable[Change]]:
        """Declare the function."""
        ...


class DeclareStep(Protocol):
    """What `step(...)` returns: the decorator."""

    def __call__(self, function: Callable[P, Result], /) -> Transform[P, Result]:
        """Declare the function."""
        ...


def transform(
    *tables: str,
    where: Condition | None = None,
    lookups: Mapping[str, SelectBase] | None = None,
    group_by: str | Iterable[str] | None = None,
    order_by: Order = (),
    keep_undo: bool = False,
) -> Declare:
    """Declare a function as the transform of `tables`: it says what becomes of their rows.

    The parameter's type says how rows arrive: a pydantic model is one row at a time, with the model's fields as
    the columns read; a list of models is a batch, or with `group_by` one whole group; `Rows` is all of them as SQL
    columns. The returned value says what is written: a model is the row's new values, None leaves the row, Insert,
    Update and Delete are changes, and from `Rows` a dictionary gives an expression per column.

    Args:
        tables: names of the tables to walk, `"table"` or `"schema.table"`, in this order.
        where: which rows are taken; all of them if it is None.
        lookups: for a field of the input model that is no column, a select that refers to the walked table.
        group_by: columns whose equal values make a group, which is never split; () makes all rows one group.
        order_by: the order in which rows are walked, or stand in their group; the key comes last by itself.
        keep_undo: keep images of what the rows held in the database, so that a run can be undone.

    Raises:
        DeclarationError: the signature, a model or an option contradicts itself.
    """
    _require_names("transform", tables)
    options = {"where": where, "group_by": group_by, "order_by": order_by, "keep_undo": keep_undo}

    def declare(function: Callable[..., Any]) -> Transform[..., Any]:
        return _declare(Kind.TRANSFORM, function, tables, lookups or {}, options)

    return declare  # type: ignore[return-value]  # the overloads narrow what one body serves


def seed(*, keep_undo: bool = False) -> DeclareSeed:
    """Declare a function that returns changes without any rows to start from: one transaction, one checkpoint.

    Args:
        keep_undo: keep images of what was written in the database, so that a run can be undone.

    Raises:
        DeclarationError: the signature contradicts itself.
    """

    def declare(function: Callable[..., Any]) -> Transform[..., Any]:
        return _declare(Kind.SEED, function, (), {}, {"keep_undo": keep_undo})

    return declare  # type: ignore[return-value]  # the protocol narrows it


def step(*tables: str, where: Condition | None = None, order_by: Order = ()) -> DeclareStep:
    """Declare a function that writes by itself, with the connection or session it is given: the escape hatch.

    It is called once, or with `tables` for each batch of their rows, in the transaction that commits the checkpoint.
    It commits nothing itself and runs no DDL. It may return how many rows it wrote.

    Args:
        tables: names of the tables to walk, in this order; none if it is to be called once.
        where: which rows are taken; all of them if it is None.
        order_by: the order in which rows are walked; the key comes last by itself.

    Raises:
        DeclarationError: the signature or an option contradicts itself.
    """
    _require_names("step", tables)

    def declare(function: Callable[..., Any]) -> Transform[..., Any]:
        return _declare(Kind.STEP, function, tables, {}, {"where": where, "order_by": order_by})

    return declare  # type: ignore[return-value]  # the protocol narrows it


def _declare(
    kind: Kind,
    function: Callable[..., Any],
    tables: tuple[str, ...],
    lookups: Mapping[str, Any],
    options: Mapping[str, Any],
) -> Transform[..., Any]:
    signature = read_signature(function, has_rows=bool(tables) or kind is Kind.TRANSFORM, performs=kind is Kind.STEP)
    definition = define(kind, function, signature, {**options, "tables": tables, "lookups": lookups})
    return Transform(function, definition, form_of(function, definition, signature, lookups), signature)


def _require_names(word: str, tables: tuple[Any, ...]) -> None:
    if any(callable(table) for table in tables):
        raise DeclarationError(
            f'{word} takes the names of tables: @{word}("users"), always with parentheses', code="no-parentheses"
        )
