"""Cutter: where the next batch ends.

Between two whole numbers there are at most as many keys as numbers. So where nearly each number is a key, the end of a
batch is reckoned instead of looked for, which spares a statement that passes every row; only where fewer rows than
that turn out to be written are they counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Integer

from backfill.batch import Batch, Tally
from backfill.declaration.conditions import Condition
from backfill.declaration.form import Bound, Walked
from backfill.errors import GroupTooLarge
from backfill.key import Key
from backfill.rows.places import Places

MOST_IN_GROUPS = 10_000
"""Rows of whole groups that are taken into memory at once."""

DENSE = 0.8
"""The share of numbers that are keys, from which on the end of a batch is reckoned."""


class Cutter:
    """Cuts the walk of one table into batches."""

    def __init__(
        self, places: Places, walked: Walked, where: Condition, bound: Bound, group_by: Sequence[str] | None
    ) -> None:
        self._places = places
        self._walked = walked
        self._where = where
        self._group_by = group_by or ()
        self._is_bounded = walked.is_grouped and bound.fetches is not None
        self._may_reckon = bound.only_sets and walked.is_by_key and _is_by_whole_number(walked)
        self._is_dense = True

    def next_batch(self, after: Key | None, hi: Key, rows: int, most_taken: int | None = None) -> Batch:
        """The places of the next `rows` rows up to `hi`, counted whether `where` takes them or not.

        There may be more of them than a batch should change; then `most_taken` says how many it may.
        """
        if most_taken is not None and most_taken < rows:
            return self._cut_wide(after, hi, rows, most_taken)
        return self._reckon(after, hi, rows) or self._cut(after, self._places.nth(after, hi, rows), hi, rows)

    def place_after(self, after: Key | None, hi: Key, rows: int) -> Key:
        """The place about `rows` rows further, or `hi` where there are fewer."""
        reckoned = self._reckon(after, hi, rows)
        return reckoned.upto if reckoned else self._places.nth(after, hi, rows) or hi

    def counted(self, batch: Batch, tally: Tally) -> Batch:
        """The batch, of which so much was written, with the rows that are there."""
        if not batch.is_counted:
            all_written = tally.updated + tally.skipped == batch.rows
            rows = batch.rows if all_written else self._places.count(batch.after, batch.upto)
            batch = replace(batch, rows=rows, is_counted=True, gaps=batch.rows - rows)
        if self._may_reckon and batch.after is not None and _are_whole_numbers(batch.after, batch.upto):
            self._is_dense = batch.rows >= DENSE * (batch.upto[0] - batch.after[0])
        return batch

    def next_match(self, after: Key | None, hi: Key, rows: int) -> Batch | None:
        """The range of the next `rows` rows that `where` takes; None when there is no such row up to `hi`."""
        upto = self._places.nth(after, hi, rows, self._where)
        if upto is None and self._places.nth(after, hi, 1, self._where) is None:
            return None
        return Batch(after, upto or hi, rows, hi)

    def oversized_group(self) -> GroupTooLarge | None:
        """What speaks against a group that is too large to be taken into memory; None when there is none."""
        rows = self._places.crowd(MOST_IN_GROUPS, self._where)
        return None if rows is None else self._too_large(rows)

    def _reckon(self, after: Key | None, hi: Key, rows: int) -> Batch | None:
        if after is None or not (self._is_dense and self._may_reckon and _are_whole_numbers(after, hi)):
            return None
        upto = min(after[0] + rows, hi[0])
        return Batch(after, (upto,), upto - after[0], hi, is_counted=False)

    def _cut_wide(self, after: Key | None, hi: Key, rows: int, most_taken: int) -> Batch:
        upto = self._places.nth(after, hi, rows)
        last = self._places.nth(after, upto or hi, most_taken, self._where)
        if last is None:
            return self._cut(after, upto, hi, rows)
        return Batch(after, last, self._places.count(after, last), hi)

    def _cut(self, after: Key | None, upto: Key | None, hi: Key, rows: int) -> Batch:
        if upto is not None and not self._walked.is_grouped:
            return Batch(after, upto, rows, hi)
        end = hi if upto is None else upto
        found = self._places.count(after, end)
        if self._is_bounded and found > MOST_IN_GROUPS:
            taken = self._places.count(after, end, self._where)
            if taken > MOST_IN_GROUPS:
                return self._cut_one_group(after, hi, rows, taken)
        return Batch(after, end, found, hi)

    def _cut_one_group(self, after: Key | None, hi: Key, rows: int, taken: int) -> Batch:
        """The next group alone; groups are never split."""
        if rows > 1:
            return self.next_batch(after, hi, 1)
        raise self._too_large(taken)

    def _too_large(self, rows: int) -> GroupTooLarge:
        return GroupTooLarge.of(self._walked.name, self._group_by, rows, MOST_IN_GROUPS)


def _is_by_whole_number(walked: Walked) -> bool:
    first, *others = (walked.table.c[name].type for name in walked.key)
    return isinstance(first, Integer) and not others


def _are_whole_numbers(*keys: Key) -> bool:
    """In SQLite a column of integers may hold anything."""
    return all(isinstance(key[0], int) for key in keys)
