"""One row at a time: `(user: FullName) -> SplitName | None`."""

from __future__ import annotations

from functools import partial

from sqlalchemy.exc import DBAPIError

from backfill.declaration.form import Answer, Arguments, Reading, Walked
from backfill.declaration.forms.reading import ReadingForm
from backfill.declaration.gathering import Gathering
from backfill.declaration.rejection import ENDS, is_meant, reason_of
from backfill.errors import RowRejected
from backfill.key import Key, printable_key

MOST_REJECTED = 100
"""Rows that are told of at once; the batch is taken again without them."""


class RowForm(ReadingForm):
    """One row at a time: a model in; a model, changes or None out."""

    noun = "one row at a time"

    def answer(self, walked: Walked, reading: Reading, arguments: Arguments) -> Answer:
        """Call the function for each row."""
        function = partial(self.function, **arguments) if arguments else self.function
        validated = self.reads.__pydantic_validator__.validate_python
        gathering = Gathering(walked, self.outputs)
        rejected: dict[Key, str] = {}
        are_meant = True
        for key, values, _ in reading.rows:
            try:
                gathering.add(key, function(validated(values)))
            except (DBAPIError, *ENDS):  # after an error of a look-up the batch may be taken again
                raise
            except BaseException as error:  # exit() in a transform, and what is like it, must not look like success
                rejected[key] = reason_of(error)
                are_meant = are_meant and is_meant(error)
                if len(rejected) == MOST_REJECTED:
                    break
        if rejected:
            first, reason = next(iter(rejected.items()))
            raise RowRejected(f"{walked.table.name} row {printable_key(first)}: {reason}", rejected, is_meant=are_meant)
        return Answer(gathering.writes(), gathering.skipped)
