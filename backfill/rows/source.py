"""Source: what a run takes in batches; a walked table, or a unit that is done at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from backfill.batch import Batch, Tally
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.declaration.divisibility import Divisibility
from backfill.declaration.form import Answer, Bound, Reading
from backfill.declaration.repeatability import Repeatability
from backfill.declaration.writes import Write
from backfill.key import Key
from backfill.rows.given import Given
from backfill.rows.journal import UNKEPT, Record
from backfill.rows.tables import Tables


class Source(ABC):
    """Read, apply and write, batch by batch."""

    database: Database
    transform: Transform[..., Any]
    tables: Tables
    bound: Bound
    repeatability: Repeatability
    is_selective: bool
    """A condition leaves rows out, so that of those walked only some are taken."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in the ledger: the table's name, or the transform's where there is no table."""

    @property
    def divisibility(self) -> Divisibility:
        """Whether several workers may walk it at once, on this database."""
        dialect = self.database.dialect
        if dialect.has_one_writer:
            return Divisibility(False, f"{dialect.title} has one writer at a time")
        return self._derive_divisibility()

    @abstractmethod
    def _derive_divisibility(self) -> Divisibility:
        """What the definition says of it."""

    @abstractmethod
    def shape(self) -> list[tuple[int, str, str]]:
        """Place, name and type of every column that the transform reads, writes or walks by."""

    @abstractmethod
    def estimate(self) -> int | None:
        """About how many rows there are; None if the database cannot tell without counting."""

    @abstractmethod
    def last_key(self) -> Key | None:
        """The last place there is to walk to; None when there is nothing to do."""

    @abstractmethod
    def place_after(self, after: Key | None, hi: Key, rows: int) -> Key:
        """The place about `rows` rows further, or `hi` where there are fewer."""

    @abstractmethod
    def next_batch(self, after: Key | None, hi: Key, rows: int, most_taken: int | None = None) -> Batch:
        """The next places, about `rows` rows of them, or as far as so many that `where` takes."""

    @property
    def tells_rows(self) -> bool:
        """Whether each row that would change is known, not only that some of a batch would."""
        return True

    def counted(self, batch: Batch, tally: Tally) -> Batch:
        """The batch, of which so much was written, with the rows that are there."""
        return batch

    @abstractmethod
    def has_match(self, *, accepted_too: bool = False) -> bool:
        """Whether `where` takes any row, or of those too that somebody has accepted to stay as they are."""

    @abstractmethod
    def read(self, batch: Batch) -> Reading:
        """Lock the batch's rows, and give what the function wants of them."""

    @abstractmethod
    def pass_over(self, keys: Sequence[Key]) -> None:
        """Leave the rows of these keys out of the batches that come, until others are named."""

    @abstractmethod
    def taken_keys(self, batch: Batch) -> Sequence[Key]:
        """Keys of the batch's rows that `where` takes."""

    @abstractmethod
    def place_of(self, key: Key) -> tuple[Key | None, Key] | None:
        """Where a row stands in the walk, and the place before it; None when the row is not there any more."""

    def apply(self, reading: Reading, given: Given) -> Answer:
        """What becomes of the rows."""
        with given.arguments() as arguments:
            return self.bound.apply(reading, arguments)

    @abstractmethod
    def write(
        self,
        writes: Sequence[Write],
        batch: Batch,
        reading: Reading,
        *,
        only_changes: bool = False,
        record: Record = UNKEPT,
    ) -> Tally:
        """Make the writes of a batch, to all its rows or only to those that would change, and tell the record."""

    @abstractmethod
    def make_room(self) -> None:
        """Let the database reuse the room of row versions that are dead."""

    @abstractmethod
    def outstanding_keys(self, after: Key | None, rows: int) -> tuple[Sequence[Key], Key | None]:
        """Keys of rows that are still to be changed, among the next `rows`; and where to go on, None at the end."""
