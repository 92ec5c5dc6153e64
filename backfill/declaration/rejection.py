"""Rejection: why a row cannot be filled, told without the row's values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import core_schema
from sqlalchemy.exc import DBAPIError

from backfill.blame import file_and_line, is_ours, names_code
from backfill.errors import BackfillError, Rejected, RowRejected
from backfill.escaping import excerpt

_SILENT = frozenset(get_args(core_schema.ErrorType)) - {
    "assertion_error",
    "get_attribute_error",
    "iteration_error",
    "mapping_type",
    "union_tag_invalid",
    "value_error",
}
"""Pydantic's own errors whose message never quotes the value; a validator of the user's may."""


ENDS = (KeyboardInterrupt, GeneratorExit)
"""What ends more than a function."""


@contextmanager
def rejecting(what: str) -> Iterator[None]:
    """Turn what a function raises into RowRejected; `what` it was given stands before the reason.

    An error of the database passes, since it may be one after which the batch is taken again.
    """
    try:
        yield
    except (DBAPIError, BackfillError, *ENDS):
        raise
    except BaseException as error:  # exit() in a function, and what is like it, must not look like success
        raise RowRejected(f"{what}: {reason_of(error)}", is_meant=is_meant(error)) from None


def is_meant(error: BaseException) -> bool:
    """Whether the author's own code rejected the row; we do so too, where an answer makes no sense."""
    return isinstance(error, Rejected) and not is_ours(error)


def reason_of(error: BaseException) -> str:
    """Why a row was rejected, without the row's values."""
    if isinstance(error, Rejected):
        return excerpt(str(error))
    if isinstance(error, ValidationError):
        return "; ".join(_validation_reason(error))
    if isinstance(error, AttributeError) and isinstance(error.obj, BaseModel):
        model = type(error.obj)
        if error.name in model.model_fields or names_code(error):
            return f"the {model.__name__} has no {error.name}"
    return f"{type(error).__name__} at {file_and_line(error)}"


def _validation_reason(error: ValidationError) -> Iterator[str]:
    """Field and rule. Deeper places may be keys of a document, and some messages quote the value: neither is told."""
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        field = problem["loc"][0] if problem["loc"] else "it"
        told = problem["msg"] if problem["type"] in _SILENT else problem["type"]
        yield f"{error.title}.{field}: {told}"
