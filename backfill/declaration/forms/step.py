"""The escape hatch: a function that performs instead of returning, once or for each batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pydantic import BaseModel

from backfill.declaration.definition import Arrival
from backfill.declaration.form import Answer, Arguments, Bound, Form, Reading, Walked
from backfill.declaration.models import columns_of_model
from backfill.declaration.rejection import rejecting
from backfill.errors import Rejected

_NOUNS = {
    Arrival.NONE: "none: a step is done once",
    Arrival.ROW: "one row at a time, for a step",
    Arrival.BATCH: "a list of rows at a time, for a step",
    Arrival.COLUMNS: "as SQL columns of a batch, for a step",
}


class StepForm(Form):
    """Rows in, in any of the ways; what is written is the function's own affair, in the batch's transaction."""

    def __init__(self, function: Callable[..., Any], arrival: Arrival, reads: type[BaseModel] | None) -> None:
        self.noun = _NOUNS[arrival]
        self.reads = reads
        self.outputs = ()
        self.lookups = {}
        self._function = function
        self._arrival = arrival

    def bind(self, walked: Walked | None) -> Bound:
        """Tie the form to a live table, or to none."""
        fetches = tuple(columns_of_model(self.reads).values()) if self.reads else None
        return Bound(
            fetches=fetches,
            reads=frozenset(fetches or ()),
            writes=(),
            never_null=frozenset(),
            literals={},
            looks_elsewhere=True,
            apply=self._perform,
            fixes_rows=True,
            shapes=None,
            performs=True,
        )

    def _perform(self, reading: Reading, arguments: Arguments) -> Answer:
        with rejecting(self._function.__name__):
            return Answer(performed=sum(map(_count, self._results(reading, arguments))))

    def _results(self, reading: Reading, arguments: Arguments) -> Iterator[Any]:
        validated = self.reads.__pydantic_validator__.validate_python if self.reads else None
        match self._arrival:
            case Arrival.NONE:
                yield self._function(**arguments)
            case Arrival.COLUMNS if reading.columns is not None:
                yield self._function(reading.columns, **arguments)
            case Arrival.BATCH if reading.rows:
                assert validated is not None
                yield self._function([validated(values) for _, values, _ in reading.rows], **arguments)
            case Arrival.ROW:
                assert validated is not None
                for _, values, _ in reading.rows:
                    yield self._function(validated(values), **arguments)


def _count(result: Any) -> int:
    if result is not None and not isinstance(result, int):
        raise Rejected(f"the step returned {type(result).__name__}; it returns how many rows it wrote, or nothing")
    return max(result or 0, 0)
