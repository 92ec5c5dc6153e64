"""A list of rows: `(users: list[User]) -> list[Name | None]`, a batch of them or, with group_by, one whole group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from backfill.declaration.form import Answer, Arguments, Reading, Row, Walked
from backfill.declaration.forms.reading import ReadingForm
from backfill.declaration.gathering import Gathering
from backfill.declaration.rejection import ENDS, reason_of, rejecting
from backfill.errors import Rejected, RowRejected
from backfill.key import Key, printable_key


class BatchForm(ReadingForm):
    """A list of rows: models in, one answer for each out."""

    noun = "a list of rows at a time"

    def answer(self, walked: Walked, reading: Reading, arguments: Arguments) -> Answer:
        """Call the function for each group; without groups a batch is one."""
        function = partial(self.function, **arguments)
        gathering = Gathering(walked, self.outputs)
        for _, group in groupby(reading.rows, key=itemgetter(2)):  # numbered by the database, which alone compares
            rows = list(group)
            for (key, *_), answer in zip(rows, self._call(function, walked, rows), strict=True):
                self._add(gathering, walked, key, answer)
        return Answer(gathering.writes(), gathering.skipped)

    def _call(self, function: Any, walked: Walked, rows: Sequence[Row]) -> Sequence[Any]:
        models = [self._read(walked, key, values) for key, values, _ in rows]
        with rejecting(_rows(walked, rows)):
            answers = function(models)
            if not isinstance(answers, Sequence) or isinstance(answers, str):
                raise Rejected(f"the function returned {type(answers).__name__}; it returns a list, one entry per row")
            if len(answers) != len(rows):
                raise Rejected(
                    f"{len(rows)} rows were given, {len(answers)} results came back; one per row, None leaves a row"
                )
        return answers

    def _read(self, walked: Walked, key: Key, values: Mapping[str, Any]) -> Any:
        try:
            return self.reads.__pydantic_validator__.validate_python(values)
        except ENDS:
            raise
        except BaseException as error:
            raise _rejection(walked, key, error) from None

    def _add(self, gathering: Gathering, walked: Walked, key: Key, answer: Any) -> None:
        try:
            gathering.add(key, answer)
        except ENDS:
            raise
        except BaseException as error:
            raise _rejection(walked, key, error) from None


def _rows(walked: Walked, rows: Sequence[Row]) -> str:
    ends = " to ".join(dict.fromkeys(printable_key(key) for key, *_ in (rows[0], rows[-1])))
    return f"{walked.table.name} row{'s' if len(rows) > 1 else ''} {ends}"


def _rejection(walked: Walked, key: Key, error: BaseException) -> RowRejected:
    reason = reason_of(error)
    alone = {} if walked.is_grouped else {key: reason}  # a group is rejected as a whole
    return RowRejected(f"{walked.table.name} row {printable_key(key)}: {reason}", alone)
