"""Signature: what a function's types say about how rows arrive and what is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, RootModel
from sqlalchemy import FromClause

from backfill.declaration.definition import Arrival
from backfill.declaration.form import columns_of_model
from backfill.errors import DeclarationError

WAYS = """
    user: FullName     one row at a time; FullName is a pydantic model of the columns read
    users: Rows        as SQL columns: the rows stay in the database (from backfill import Rows)"""


@dataclass(frozen=True)
class Signature:
    """How rows arrive, and the models in and out."""

    arrival: Arrival
    reads: type[BaseModel] | None
    outputs: tuple[type[BaseModel], ...]


def read_signature(function: Callable[..., Any]) -> Signature:
    """What the function's annotations say; raises DeclarationError, naming the function, where they do not."""
    name = function.__name__
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise DeclarationError(f"{name} is asynchronous or a generator; a transform is a plain function of its row")
    parameter = _only_parameter(function)
    hints = _hints(function)
    if parameter not in hints:
        raise DeclarationError(f"{name}: {parameter!r} needs a type; it says how rows reach you:{WAYS}")
    if "return" not in hints:
        raise DeclarationError(f"{name} needs a return type; it says what is written: a model, or a model or None")
    if _is_rows(hints[parameter]):
        return Signature(Arrival.COLUMNS, None, _outputs_from_columns(name, hints["return"]))
    reads = _input_model(name, parameter, hints[parameter])
    return Signature(Arrival.ROW, reads, _outputs_from_row(name, hints["return"]))


def _only_parameter(function: Callable[..., Any]) -> str:
    parameters = list(inspect.signature(function).parameters.values())
    plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if len(parameters) != 1 or parameters[0].kind not in plain:
        raise DeclarationError(f"{function.__name__} takes one parameter, the rows:{WAYS}")
    return parameters[0].name


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        raise DeclarationError(
            f"{function.__name__}: the type {error.name} cannot be found; define it at the top of the module"
        ) from None
    except (AttributeError, SyntaxError, TypeError) as error:
        raise DeclarationError(f"{function.__name__}: a type cannot be understood: {error}") from None


def _is_rows(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, FromClause)


def _input_model(name: str, parameter: str, hint: Any) -> type[BaseModel]:
    if not _is_model(hint):
        raise DeclarationError(f"{name}: {parameter}: {_spell(hint)} is no way for rows to arrive:{WAYS}")
    model: type[BaseModel] = hint
    if not model.model_fields:
        raise DeclarationError(f"{name}: {model.__name__} has no fields, so there is nothing to read")
    _require_columns(name, model)
    return model


def _outputs_from_row(name: str, hint: Any) -> tuple[type[BaseModel], ...]:
    members = _members(hint)
    models = tuple(member for member in members if member is not NoneType)
    if not models or not all(_is_model(model) for model in models):
        raise DeclarationError(
            f"{name} returns {_spell(hint)}; from one row it returns a model of the columns written, or None to leave "
            "the row: '-> SplitName | None'"
        )
    return _with_fields(name, models)


def _outputs_from_columns(name: str, hint: Any) -> tuple[type[BaseModel], ...]:
    origin = get_origin(hint) or hint
    if _is_model(hint):
        return _with_fields(name, (hint,))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return ()
    raise DeclarationError(
        f"{name} returns {_spell(hint)}; from Rows it returns a model of constant values, "
        "or 'dict[str, Any]': column name to SQL expression"
    )


def _with_fields(name: str, models: tuple[type[BaseModel], ...]) -> tuple[type[BaseModel], ...]:
    for model in models:
        if not model.model_fields:
            raise DeclarationError(f"{name}: {model.__name__} has no fields, so there is nothing to write")
        if model.model_config.get("extra") == "allow":
            raise DeclarationError(f"{name}: {model.__name__} allows extra fields; name every column that is written")
        _require_columns(name, model)
    return models


def _require_columns(name: str, model: type[BaseModel]) -> None:
    """Each field stands for one column of its own."""
    if issubclass(model, RootModel):
        raise DeclarationError(f"{name}: {model.__name__} is a RootModel; its value needs a field, named as the column")
    for field_name, field in model.model_fields.items():
        if field.validation_alias not in (None, field.alias):
            raise DeclarationError(
                f"{name}: {model.__name__}.{field_name} has a validation_alias; a column has one name: Field(alias=...)"
            )
    columns = list(columns_of_model(model).values())
    if twice := next((column for column in columns if columns.count(column) > 1), None):
        raise DeclarationError(f"{name}: two fields of {model.__name__} stand for the column {twice}")


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel) and hint is not BaseModel


def _spell(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
