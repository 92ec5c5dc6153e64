"""One row at a time: `(user: FullName) -> SplitName | None`."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, NoReturn, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import core_schema

from backfill.declaration.changes import Recordset, Verb, Write
from backfill.declaration.form import Bound, Form, Row, Walked, columns_of_model, may_be_none
from backfill.errors import RowRejected
from backfill.key import Key, printable_key

_SILENT = frozenset(get_args(core_schema.ErrorType)) - {
    "assertion_error",
    "get_attribute_error",
    "iteration_error",
    "mapping_type",
    "union_tag_invalid",
    "value_error",
}
"""Pydantic's own errors whose message never quotes the value; a validator of the user's may."""


class Rejected(Exception):
    """Raise it in a transform: this row cannot be filled, and why. The reason is shown, so keep values out of it."""


class RowForm(Form):
    """One row at a time: a model in, a model or None out."""

    noun = "one row at a time"

    def __init__(
        self, function: Callable[..., Any], reads: type[BaseModel], outputs: tuple[type[BaseModel], ...]
    ) -> None:
        self.reads = reads
        self.outputs = outputs
        self._function = function
        self._columns = {model: columns_of_model(model) for model in outputs}
        self._values = {model: _values_of(model) for model in outputs}

    def bind(self, walked: Walked) -> Bound:
        """Tie the form to a live table."""
        fetches = tuple(columns_of_model(self.reads).values())
        writes = tuple(dict.fromkeys(name for columns in self._columns.values() for name in columns.values()))
        return Bound(
            fetches=fetches,
            reads=frozenset(fetches),
            writes=writes,
            never_null=frozenset(writes).intersection(*(_never_null(model) for model in self.outputs)),
            literals={},
            looks_elsewhere=False,
            apply=lambda rows: self._apply(walked.table.name, walked.key, rows),
        )

    def _apply(self, table: str, key: tuple[str, ...], rows: Sequence[Row]) -> list[Write]:
        validated = self.reads.__pydantic_validator__.validate_python
        shapes: dict[type[BaseModel], list[tuple[Key, tuple[Any, ...]]]] = defaultdict(list)
        for row_key, values in rows:
            try:
                result = self._function(validated(values))
                if result is not None:
                    values_of = self._values.get(type(result)) or self._refuse(result)
                    shapes[type(result)].append((row_key, values_of(result)))
            except (Exception, SystemExit) as error:  # exit() in a transform must not look like success
                raise RowRejected(f"{table} row {printable_key(row_key)}: {_reason(error)}") from None
        return [
            Write(Verb.UPDATE, key, tuple(self._columns[shape].values()), Recordset(written))
            for shape, written in shapes.items()
        ]

    def _refuse(self, result: object) -> NoReturn:
        wanted = " or ".join(model.__name__ for model in self.outputs)
        raise Rejected(f"the function returned {type(result).__name__}; it is declared to return {wanted}")


def _values_of(model: type[BaseModel]) -> Callable[[BaseModel], tuple[Any, ...]]:
    """What takes the fields of a model as a tuple, at the speed of C."""
    names = tuple(model.model_fields)
    if len(names) == 1:
        return lambda result: (getattr(result, names[0]),)
    return attrgetter(*names)


def _never_null(model: type[BaseModel]) -> set[str]:
    columns = columns_of_model(model)
    return {columns[name] for name in model.model_fields if not may_be_none(model, name)}


def _reason(error: BaseException) -> str:
    """Why a row was rejected, without the row's values."""
    if isinstance(error, Rejected):
        return str(error)
    if isinstance(error, ValidationError):
        return "; ".join(_validation_reason(error))
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {place.filename.rsplit('/', 1)[-1]}:{place.lineno}"


def _validation_reason(error: ValidationError) -> Iterator[str]:
    """Field and rule. Deeper places may be keys of a document, and some messages quote the value: neither is told."""
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        field = problem["loc"][0] if problem["loc"] else "it"
        told = problem["msg"] if problem["type"] in _SILENT else problem["type"]
        yield f"{error.title}.{field}: {told}"
