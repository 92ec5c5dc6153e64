"""Models: what the fields of a pydantic model say about columns."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from operator import attrgetter
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, PydanticUserError, RootModel, TypeAdapter, ValidationError

from backfill.errors import DeclarationError


def columns_of_model(model: type[BaseModel]) -> dict[str, str]:
    """Field name to column name: a field with an alias reads and writes the column of that name."""
    return {name: field.alias or name for name, field in model.model_fields.items()}


def values_of_model(model: type[BaseModel]) -> Callable[[BaseModel], tuple[Any, ...]]:
    """What takes the fields of a model as a tuple, at the speed of C."""
    names = tuple(model.model_fields)
    if len(names) == 1:
        return lambda result: (getattr(result, names[0]),)
    return attrgetter(*names)


def is_model(hint: Any) -> bool:
    """Whether a type is a model of columns."""
    return isinstance(hint, type) and issubclass(hint, BaseModel) and hint is not BaseModel


def require_columns(name: str, model: type[BaseModel]) -> None:
    """Raise DeclarationError unless each field stands for one column of its own."""
    if issubclass(model, RootModel):
        raise DeclarationError(
            f"{name}: {model.__name__} is a RootModel; its value needs a field, named as the column", code="root-model"
        )
    for field_name, field in model.model_fields.items():
        if field.validation_alias not in (None, field.alias):
            raise DeclarationError(
                f"{name}: {model.__name__}.{field_name} has a validation_alias; a column has one name: "
                "Field(alias=...)",
                code="validation-alias",
            )
    columns = list(columns_of_model(model).values())
    if twice := next((column for column in columns if columns.count(column) > 1), None):
        raise DeclarationError(
            f"{name}: two fields of {model.__name__} stand for the column {twice}", code="column-twice"
        )


def choices(annotation: Any) -> list[Any]:
    """The values to which a Literal or an Enum restricts a field; none where it is not restricted."""
    origin = get_origin(annotation)
    if origin is Literal:
        return list(get_args(annotation))
    if origin is Annotated:
        return choices(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [choice for member in get_args(annotation) for choice in choices(member)]
    is_enum = isinstance(annotation, type) and issubclass(annotation, Enum)
    return [member.value for member in annotation] if is_enum else []


def takes_none(model: type[BaseModel], name: str) -> bool:
    """Whether a field may be given None: by its type, or because a validator of its own looks at the value first."""
    validators = model.__pydantic_decorators__.field_validators.values()
    if any(name in validator.info.fields and validator.info.mode != "after" for validator in validators):
        return True
    field = model.model_fields[name]
    return _lets_none_through(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)


def may_be_none(model: type[BaseModel], name: str) -> bool:
    """Whether a field may hold None."""
    return _lets_none_through(model.model_fields[name].annotation)


def _lets_none_through(kind: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(None)
    except (ValidationError, PydanticUserError):  # the latter: a class that pydantic does not know, None is none of it
        return False
    return True
