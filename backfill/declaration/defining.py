"""Defining: the definition and the form of a function, from its signature and its options."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, get_args

from pydantic import PydanticUserError, ValidationError
from pydantic_core import core_schema

from backfill.declaration.conditions import render
from backfill.declaration.definition import Arrival, Definition, Kind
from backfill.declaration.form import Form
from backfill.declaration.forms import BatchForm, ColumnsForm, RowForm, SeedForm, StepForm
from backfill.declaration.lookups import Lookup, read_lookups
from backfill.declaration.signature import Signature
from backfill.errors import DeclarationError

PYDANTICS_OWN = frozenset(get_args(core_schema.ErrorType))
"""Its kinds of problems; whatever else a problem is called is a code of ours."""


def define(kind: Kind, function: Callable[..., Any], signature: Signature, options: Mapping[str, Any]) -> Definition:
    """The function's definition.

    Raises:
        DeclarationError: a model or an option contradicts itself.
    """
    try:
        return Definition(
            name=function.__name__,
            kind=kind,
            arrival=signature.arrival,
            reads=signature.reads.model_json_schema() if signature.reads else None,
            writes=[output.model_json_schema() for output in signature.outputs.models],
            state=signature.state[1].model_json_schema() if signature.state else None,
            code=_code(function),
            description=inspect.getdoc(function) or "",
            **{**options, "lookups": _rendered(function.__name__, options.get("lookups", {}))},
        )
    except ValidationError as error:
        raise DeclarationError(f"{function.__name__}: {problems_of(error)}", code=code_of_problem(error)) from None
    except PydanticUserError as error:
        reason = str(error.message).splitlines()[0]
        raise DeclarationError(
            f"{function.__name__}: a model has a type that no column has: {reason}", code="model-type"
        ) from None


def form_of(
    function: Callable[..., Any], definition: Definition, signature: Signature, lookups: Mapping[str, Any]
) -> Form:
    """The function's form.

    Raises:
        DeclarationError: the options do not go with the way rows arrive.
    """
    if definition.kind is Kind.STEP:
        return StepForm(function, signature.arrival, signature.reads)
    if definition.kind is Kind.SEED:
        return SeedForm(function, signature.outputs)
    if definition.group_by is not None and signature.arrival is Arrival.ROW:
        raise DeclarationError(
            f"{function.__name__}: group_by hands over whole groups: "
            f"'rows: list[{signature.reads.__name__ if signature.reads else 'Row'}]'",
            code="group-in-a-row",
        )
    if signature.reads is None:
        if lookups:
            raise DeclarationError(
                f"{function.__name__}: lookups fill fields of a model; from Rows use a subquery", code="lookup-in-sql"
            )
        return ColumnsForm(function, signature.outputs)
    read = read_lookups(function.__name__, signature.reads, lookups)
    return _reading_form(function, signature, read)


def _reading_form(function: Callable[..., Any], signature: Signature, lookups: Mapping[str, Lookup]) -> Form:
    form = BatchForm if signature.arrival is Arrival.BATCH else RowForm
    assert signature.reads is not None, "rows arrive as models"
    return form(function, signature.reads, signature.outputs, lookups, is_stateful=signature.state is not None)


def problems_of(error: ValidationError) -> str:
    """What a definition's validation found, without the values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}".lstrip(": ")
        for problem in error.errors(include_input=False, include_url=False)
    )


def code_of_problem(error: ValidationError) -> str:
    """The code of the first problem: ours as it is, pydantic's own behind the name of the option."""
    first = error.errors(include_input=False, include_url=False)[0]
    rule = first["type"].replace("_", "-")
    return f"{first['loc'][0]}-{rule}".replace("_", "-") if first["type"] in PYDANTICS_OWN else rule


def _rendered(name: str, lookups: Mapping[str, Any]) -> dict[str, str]:
    try:
        return {field: render(statement) for field, statement in lookups.items()}
    except AttributeError:
        raise DeclarationError(f"{name}: lookups= takes a select(...) for each field", code="lookups-form") from None


def _code(function: Callable[..., Any]) -> str:
    """The function's whole module, so that a changed helper counts; layout and comments do not."""
    module = sys.modules.get(function.__module__)
    try:
        source = inspect.getsource(module) if module else inspect.getsource(function)
    except OSError:
        return function.__code__.co_code.hex()
    return ast.unparse(ast.parse(textwrap.dedent(source)))
