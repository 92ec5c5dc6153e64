"""Signature: what a function's types say about how rows arrive, what is written, and what else it is given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from sqlalchemy import Connection, FromClause
from sqlalchemy.orm import Session

from backfill.declaration.answers import Outputs, outputs_from_columns, outputs_from_rows, outputs_of_seed, spell
from backfill.declaration.definition import Arrival
from backfill.declaration.models import is_model, require_columns
from backfill.errors import DeclarationError

WAYS = """
    user: FullName           one row at a time; FullName is a pydantic model of the columns read
    users: list[FullName]    a batch of rows; with group_by= one whole group
    users: Rows              as SQL columns: the rows stay in the database (from backfill import Rows)"""

_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Signature:
    """How rows arrive, the models in and out, and what a function is given beside its rows."""

    arrival: Arrival
    reads: type[BaseModel] | None = None
    outputs: Outputs = field(default_factory=Outputs)
    connections: tuple[str, ...] = ()
    """Parameters that take a connection."""
    sessions: tuple[str, ...] = ()
    """Parameters that take an ORM session."""
    state: tuple[str, type[BaseModel]] | None = None
    """The parameter that carries a state from batch to batch, and its model."""


NOTHING_GIVEN = Signature(Arrival.NONE)
"""Of a function that is given its rows alone, or nothing."""


def read_signature(function: Callable[..., Any], *, has_rows: bool = True, performs: bool = False) -> Signature:
    """What the function's annotations say; raises DeclarationError, naming the function, where they do not.

    Args:
        function: a transform's, a seed's or a step's.
        has_rows: its first parameter is the rows.
        performs: it is a step, whose return value says nothing about rows.
    """
    name = function.__name__
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise DeclarationError(
            f"{name} is asynchronous or a generator; it has to be a plain function", code="not-plain"
        )
    rows, given = _parameters(function, has_rows)
    hints = _hints(function)
    if rows is not None and rows not in hints:
        raise DeclarationError(f"{name}: {rows!r} needs a type; it says how rows reach you:{WAYS}", code="rows-untyped")
    if "return" not in hints:
        written = "a step's is None, or int for how many rows it wrote" if performs else "a model, or a model or None"
        raise DeclarationError(
            f"{name} needs a return type; it says what is written: {written}", code="returns-untyped"
        )
    arrival, reads = (Arrival.NONE, None) if rows is None else _arrival(name, rows, hints[rows])
    given_types = {each: hints.get(each) for each in given}
    signature = Signature(
        arrival,
        reads,
        _outputs(name, arrival, hints["return"], performs),
        connections=tuple(each for each, kind in given_types.items() if kind is Connection),
        sessions=tuple(each for each, kind in given_types.items() if kind is Session),
        state=_state(name, given_types),
    )
    _require_sense(name, signature, given_types, performs)
    return signature


def _parameters(function: Callable[..., Any], has_rows: bool) -> tuple[str | None, list[str]]:
    """The parameter of the rows, and the others."""
    parameters = list(inspect.signature(function).parameters.values())
    named = [each for each in parameters if each.kind in (*_PLAIN, inspect.Parameter.KEYWORD_ONLY)]
    if len(named) != len(parameters) or (has_rows and not (named and named[0].kind in _PLAIN)):
        raise DeclarationError(f"{function.__name__} takes one parameter, the rows:{WAYS}", code="parameters")
    names = [each.name for each in named]
    return (names[0], names[1:]) if has_rows else (None, names)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        raise DeclarationError(
            f"{function.__name__}: the type {error.name} cannot be found; define it at the top of the module",
            code="type-not-found",
        ) from None
    except (AttributeError, SyntaxError, TypeError) as error:
        raise DeclarationError(
            f"{function.__name__}: a type cannot be understood: {error}", code="type-unclear"
        ) from None


def _arrival(name: str, parameter: str, hint: Any) -> tuple[Arrival, type[BaseModel] | None]:
    if isinstance(hint, type) and issubclass(hint, FromClause):
        return Arrival.COLUMNS, None
    if get_origin(hint) is list:
        return Arrival.BATCH, _input_model(name, parameter, get_args(hint)[0])
    return Arrival.ROW, _input_model(name, parameter, hint)


def _input_model(name: str, parameter: str, hint: Any) -> type[BaseModel]:
    if not is_model(hint):
        raise DeclarationError(
            f"{name}: {parameter}: {spell(hint)} is no way for rows to arrive:{WAYS}", code="rows-type"
        )
    model: type[BaseModel] = hint
    if not model.model_fields:
        raise DeclarationError(
            f"{name}: {model.__name__} has no fields, so there is nothing to read", code="input-empty"
        )
    require_columns(name, model)
    return model


def _outputs(name: str, arrival: Arrival, hint: Any, performs: bool) -> Outputs:
    if performs:
        return Outputs()
    if arrival is Arrival.NONE:
        return outputs_of_seed(name, hint)
    if arrival is Arrival.COLUMNS:
        return outputs_from_columns(name, hint)
    return outputs_from_rows(name, hint, is_batch=arrival is Arrival.BATCH)


def _state(name: str, given: Mapping[str, Any]) -> tuple[str, type[BaseModel]] | None:
    states = [(parameter, kind) for parameter, kind in given.items() if is_model(kind)]
    if len(states) > 1:
        raise DeclarationError(
            f"{name} carries one state from batch to batch: put {states[1][0]} into {states[0][0]}", code="two-states"
        )
    for parameter, model in states:
        try:
            model()
        except ValidationError:
            raise DeclarationError(
                f"{name}: {parameter} begins as {model.__name__}(), so each of its fields needs a default",
                code="state-default",
            ) from None
        return parameter, model
    return None


def _require_sense(name: str, signature: Signature, given: Mapping[str, Any], performs: bool) -> None:
    known = {*signature.connections, *signature.sessions, *([signature.state[0]] if signature.state else [])}
    if unknown := next((parameter for parameter in given if parameter not in known), None):
        raise DeclarationError(
            f"{name} takes one parameter, the rows, and may be given a 'connection: Connection' or a state, which is "
            f"a model; {unknown} is neither",
            code="parameter-unknown",
        )
    if signature.sessions and not performs:
        raise DeclarationError(
            f"{name}: a transform returns its changes; a session is given to a step alone", code="session-in-transform"
        )
    if given and not performs and signature.arrival is Arrival.COLUMNS:
        raise DeclarationError(
            f"{name} is called once, with the table; with Rows nothing else can be given to it", code="given-in-sql"
        )
    if signature.state and (signature.arrival is Arrival.NONE or performs):
        raise DeclarationError(
            f"{name} has no batches to carry {signature.state[0]} between; a transform of rows has",
            code="state-without-batches",
        )
