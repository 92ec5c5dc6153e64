"""Unit: what is done at once, without a table to walk; a seed, or a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backfill.batch import Batch, Tally
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.declaration.divisibility import UNDIVIDED, Divisibility
from backfill.declaration.form import Reading
from backfill.declaration.repeatability import derive_repeatability
from backfill.declaration.writes import Write
from backfill.key import Key
from backfill.rows.given import Given
from backfill.rows.journal import UNKEPT, Record
from backfill.rows.source import Source
from backfill.rows.tables import Tables
from backfill.rows.writer import Writer

WHOLE: Key = ()
"""The one place there is."""


class Unit(Source):
    """One batch of no rows."""

    is_selective = False

    def __init__(self, database: Database, transform: Transform[..., Any], tables: Tables) -> None:
        self.database = database
        self.transform = transform
        self.tables = tables
        self.bound = transform.form.bind(None)
        self.repeatability = derive_repeatability(self.bound, None, frozenset())

    @property
    def name(self) -> str:
        """The transform's name."""
        return self.transform.name

    def _derive_divisibility(self) -> Divisibility:
        return UNDIVIDED

    def shape(self) -> list[tuple[int, str, str]]:
        """Nothing is walked."""
        return []

    def estimate(self) -> int | None:
        """No rows are read."""
        return None

    def last_key(self) -> Key | None:
        """The one place."""
        return WHOLE

    def place_after(self, after: Key | None, hi: Key, rows: int) -> Key:
        """The one place."""
        return WHOLE

    def next_batch(self, after: Key | None, hi: Key, rows: int, most_taken: int | None = None) -> Batch:
        """All at once."""
        return Batch(after, WHOLE, 0, WHOLE)

    def has_match(self, *, accepted_too: bool = False) -> bool:
        """There is always something to look at again."""
        return True

    def read(self, batch: Batch) -> Reading:
        """Nothing."""
        return Reading()

    def write(
        self,
        writes: Sequence[Write],
        batch: Batch,
        reading: Reading,
        *,
        only_changes: bool = False,
        record: Record = UNKEPT,
    ) -> Tally:
        """Make the writes."""
        writer = Writer(self.database, self.tables, record)
        return sum((writer.write(write, only_changes=only_changes) for write in writes), Tally())

    def pass_over(self, keys: Sequence[Key]) -> None:
        """There are no rows."""

    def taken_keys(self, batch: Batch) -> Sequence[Key]:
        """There are no rows."""
        return ()

    def place_of(self, key: Key) -> tuple[Key | None, Key] | None:
        """There are no rows."""
        return None

    def make_room(self) -> None:
        """It leaves little."""

    def outstanding_keys(self, after: Key | None, rows: int) -> tuple[Sequence[Key], Key | None]:
        """The unit itself, if doing it again would change something."""
        with self.database.transaction(keep=False):
            batch = Batch(None, WHOLE, 0, WHOLE)
            answer = self.apply(Reading(), Given(self.transform, self.database))
            changed = self.write(answer.writes, batch, Reading(), only_changes=True).written
        return ([WHOLE] if changed else []), None
