"""Transform: a typed function with its definition, and the decorator that declares it."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from pydantic import BaseModel, PydanticUserError, ValidationError
from sqlalchemy.sql.selectable import NamedFromClause

from backfill.declaration.conditions import Condition
from backfill.declaration.definition import Definition
from backfill.declaration.document import read_document
from backfill.declaration.form import Form
from backfill.declaration.forms import ColumnsForm, RowForm
from backfill.declaration.signature import Signature, read_signature
from backfill.errors import DeclarationError

Rows = NamedFromClause
"""The rows as SQL columns: `users.c.email`. Rows typed so never leave the database."""

P = ParamSpec("P")
Out = TypeVar("Out", covariant=True)  # noqa: PLC0105  # hovered over by every user
Row = TypeVar("Row", bound=BaseModel)
PerRow = TypeVar("PerRow", bound=BaseModel | None)
Assigned = TypeVar("Assigned", bound=BaseModel | Mapping[str, Any])


class Transform(Generic[P, Out]):
    """A function that says what new values a row gets. Calling it calls the function: no database is near."""

    def __init__(self, function: Callable[P, Out], definition: Definition, form: Form) -> None:
        self.definition = definition
        self.form = form
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
        self, function: Callable[Concatenate[Rows, P], Assigned], /
    ) -> Transform[Concatenate[Rows, P], Assigned]: ...


def transform(*tables: str, where: Condition | None = None) -> Declare:
    """Declare a function as the transform of `tables`.

    The parameter's type says how rows arrive: a pydantic model is one row at a time, with the model's fields as
    the columns read; `Rows` is all of them as SQL columns. The returned value says what is written: a model is
    the row's new values, None leaves the row, and from `Rows` a dictionary gives an expression per column.

    Args:
        tables: names of the tables to walk, `"table"` or `"schema.table"`, in this order.
        where: which rows are taken; all of them if it is None.

    Raises:
        DeclarationError: the signature, a model or an option contradicts itself.
    """
    if any(callable(table) for table in tables):
        raise DeclarationError('transform takes the names of tables: @transform("users"), always with parentheses')

    def declare(function: Callable[..., Any]) -> Transform[..., Any]:
        signature = read_signature(function)
        definition = _define(function, signature, tables, where)
        return Transform(function, definition, _form(function, signature))

    return declare  # type: ignore[return-value]  # the overloads narrow what one body serves


def from_document(name: str, text: str | bytes) -> Transform[[Rows], Mapping[str, Any]]:
    """The transform that a JSON definition describes: `{"table": …, "where": {…}, "set": {…}}`.

    Raises:
        DeclarationError: it is not JSON, or not a definition.
    """
    try:
        document = read_document(f"{name}.json", text)
        definition = Definition.model_validate({**document, "name": name})
    except ValidationError as error:
        raise DeclarationError(f"{name}.json: {_problems(error)}") from None
    values = definition.values
    if not values:
        raise DeclarationError(f'{name}.json: "set" is missing: it holds the columns to write and their values')

    def literal(_: Rows) -> Mapping[str, Any]:
        return values

    literal.__doc__ = definition.description or None
    return Transform(literal, definition, ColumnsForm(literal, None))


def _define(
    function: Callable[..., Any], signature: Signature, tables: tuple[str, ...], where: Condition | None
) -> Definition:
    try:
        return Definition(
            name=function.__name__,
            tables=tables,
            where=where,
            arrival=signature.arrival,
            reads=signature.reads.model_json_schema() if signature.reads else None,
            writes=[output.model_json_schema() for output in signature.outputs],
            code=_code(function),
            description=inspect.getdoc(function) or "",
        )
    except ValidationError as error:
        raise DeclarationError(f"{function.__name__}: {_problems(error)}") from None
    except PydanticUserError as error:
        reason = str(error.message).splitlines()[0]
        raise DeclarationError(f"{function.__name__}: a model has a type that no column has: {reason}") from None


def _form(function: Callable[..., Any], signature: Signature) -> Form:
    if signature.reads is not None:
        return RowForm(function, signature.reads, signature.outputs)
    return ColumnsForm(function, signature.outputs[0] if signature.outputs else None)


def _code(function: Callable[..., Any]) -> str:
    """The function's whole module, so that a changed helper counts; layout and comments do not."""
    module = sys.modules.get(function.__module__)
    try:
        source = inspect.getsource(module) if module else inspect.getsource(function)
    except OSError:
        return function.__code__.co_code.hex()
    return ast.unparse(ast.parse(textwrap.dedent(source)))


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_input=False, include_url=False)
    )
