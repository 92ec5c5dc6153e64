"""One row at a time: `(user: FullName) -> SplitName | None`."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from backfill.changes import Recordset, Verb, Write
from backfill.errors import DeclarationError, RowRejected
from backfill.form import Bound, Form, Row, Walked, columns_of_model, takes_none
from backfill.key import Key, printable_key

_TELLING = ("value_error", "assertion_error")
"""Errors whose message the user's own validator wrote, perhaps with the value in it."""


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

    def bind(self, walked: Walked) -> Bound:
        """Tie the form to a live table."""
        fetches = tuple(columns_of_model(self.reads).values())
        writes = tuple(dict.fromkeys(name for columns in self._columns.values() for name in columns.values()))
        return Bound(
            fetches=fetches,
            reads=frozenset(fetches),
            writes=writes,
            never_null=frozenset(writes).intersection(*(_never_null(model) for model in self.outputs)),
            looks_elsewhere=False,
            apply=lambda rows: self._apply(walked.table.name, walked.key, rows),
        )

    def _apply(self, table: str, key: tuple[str, ...], rows: Sequence[Row]) -> list[Write]:
        shapes: dict[type[BaseModel], list[tuple[Key, tuple[Any, ...]]]] = defaultdict(list)
        for row_key, result in self._results(table, rows):
            shapes[type(result)].append((row_key, tuple(getattr(result, name) for name in self._columns[type(result)])))
        return [
            Write(Verb.UPDATE, key, tuple(self._columns[shape].values()), Recordset(written))
            for shape, written in shapes.items()
        ]

    def _results(self, table: str, rows: Sequence[Row]) -> Iterator[tuple[Key, BaseModel]]:
        for key, values in rows:
            try:
                result = self._function(self.reads.model_validate(values))
            except Exception as error:
                raise RowRejected(f"{table} row {printable_key(key)}: {_reason(error)}") from None
            if result is not None:
                yield key, self._expect_output(result)

    def _expect_output(self, result: object) -> BaseModel:
        if isinstance(result, BaseModel) and type(result) in self._columns:
            return result
        wanted = " or ".join(model.__name__ for model in self.outputs)
        raise DeclarationError(f"the function returned {type(result).__name__}; it is declared to return {wanted}")


def _never_null(model: type[BaseModel]) -> set[str]:
    columns = columns_of_model(model)
    return {columns[name] for name, field in model.model_fields.items() if not takes_none(field.annotation)}


def _reason(error: Exception) -> str:
    """Why a row was rejected, without the row's values."""
    if isinstance(error, Rejected):
        return str(error)
    if isinstance(error, ValidationError):
        return "; ".join(_validation_reason(error))
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {place.filename.rsplit('/', 1)[-1]}:{place.lineno}"


def _validation_reason(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        field = ".".join(str(part) for part in problem["loc"])
        told = problem["type"] if problem["type"] in _TELLING else problem["msg"]
        yield f"{error.title}.{field}: {told}"
