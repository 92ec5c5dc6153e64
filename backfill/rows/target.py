"""Target: the user's table, tied to a transform: how it is walked, read and written, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, true

from backfill.batch import Batch, Tally
from backfill.database import Database
from backfill.declaration.adaptation import adapt, adapt_select, columns_of, tables_of
from backfill.declaration.conditions import Condition
from backfill.declaration.decorator import Transform
from backfill.declaration.divisibility import Divisibility, derive_divisibility
from backfill.declaration.form import Reading, Walked
from backfill.declaration.repeatability import derive_repeatability
from backfill.declaration.writes import Projection, Recordset, Verb, Write
from backfill.errors import GroupTooLarge
from backfill.key import Key
from backfill.rejections import accepted_keys
from backfill.rows.ahead import Ahead
from backfill.rows.chosen import among
from backfill.rows.cutter import Cutter
from backfill.rows.given import Given
from backfill.rows.images import Image
from backfill.rows.insertion import is_held_unique
from backfill.rows.journal import UNKEPT, Record
from backfill.rows.places import Places
from backfill.rows.projector import Projector, has_windows
from backfill.rows.reader import Reader
from backfill.rows.source import Source
from backfill.rows.tables import Tables
from backfill.rows.walk import Span, Walk
from backfill.rows.writer import Writer


class Target(Source):
    """One table that a transform walks."""

    def __init__(
        self,
        database: Database,
        transform: Transform[..., Any],
        tables: Tables,
        table: Table,
        key: tuple[str, ...],
        walk: Callable[[Target], Walk],
    ) -> None:
        self.database = database
        self.transform = transform
        self.tables = tables
        self.table = table
        self.key = key
        self._keys = [database.dialect.walked(table.c[name]) for name in key]
        definition = transform.definition
        accepted = among(database, self._keys, accepted_keys(database, transform.name, table.fullname))
        self._declared = true() if definition.where is None else self.adapt(definition.where)
        self.where = and_(self._declared, *(~rows for rows in accepted))
        self.walk = walk(self)
        self.is_selective = definition.where is not None and not self.walk.is_grouped
        self._places = Places(database, table, self.walk)
        walked = Walked(
            table, key, self.adapt, self._adapt_select, self.walk.is_by_key, definition.group_by is not None
        )
        self.bound = transform.form.bind(walked)
        self._cutter = Cutter(self._places, walked, self.where, self.bound, definition.group_by)
        sorting = [self._sorted(step.expression, step.is_descending) for step in definition.order_by]
        self._reader = Reader(database, walked, self.where, self.walk, self.bound, sorting)
        self.projector = Projector(database, tables, table, self._keys, self.walk)
        """Makes writes whose values never leave the database."""
        self.repeatability = derive_repeatability(
            self.bound, definition.where, columns_of(self.where, table), tables_of(self.where, table), self.name
        )

    @property
    def name(self) -> str:
        """The table's name as the definition spells it."""
        return self.table.fullname

    @property
    def writes_own_rows(self) -> bool:
        """Whether the walked rows themselves are written, or may be."""
        return bool(self.bound.writes) or self.bound.shapes is None or any(shape.is_own for shape in self.bound.shapes)

    def _derive_divisibility(self) -> Divisibility:
        return derive_divisibility(
            self.transform.definition,
            self.bound,
            self.name,
            tables_of(self.where, self.table),
            lambda shape: is_held_unique(self.tables.find(shape.table), shape),
            is_handed_connection=bool(self.transform.given.connections),
        )

    def shape(self) -> list[tuple[int, str, str]]:
        """Place, name and type of every column that the transform reads, writes or walks by."""
        return self.shape_of(self.table)

    def shape_of(self, table: Table) -> list[tuple[int, str, str]]:
        """The same of the table as it is now."""
        walked = {column for place in self.walk.columns for column in columns_of(place, self.table)}
        used = {*self.key, *walked, *self.bound.reads, *self.bound.writes, *columns_of(self.where, self.table)}
        return [(n, c.name, repr(c.type)) for n, c in enumerate(table.columns) if c.name in used]

    def estimate(self) -> int | None:
        """About how many rows the table has; None if the database cannot tell without counting."""
        return self.database.dialect.estimate(self.database.connection, self.table)

    # ── walking ─────────────────────────────────────────────────────────────────────────────────────────────────

    def last_key(self) -> Key | None:
        """The last place of the walk, by the database's order; None when the table is empty."""
        return self._places.last()

    def next_batch(self, after: Key | None, hi: Key, rows: int, most_taken: int | None = None) -> Batch:
        """The places of the next `rows` rows up to `hi`, or as far as so many that `where` takes."""
        return self._cutter.next_batch(after, hi, rows, most_taken)

    def counted(self, batch: Batch, tally: Tally) -> Batch:
        """The batch, of which so much was written, with the rows that are there."""
        return self._cutter.counted(batch, tally)

    def place_after(self, after: Key | None, hi: Key, rows: int) -> Key:
        """The place about `rows` rows further, or `hi` where there are fewer."""
        return self._cutter.place_after(after, hi, rows)

    def next_match(self, after: Key | None, hi: Key, rows: int) -> Batch | None:
        """The range of the next `rows` rows that `where` takes; None when there is no such row up to `hi`."""
        return self._cutter.next_match(after, hi, rows)

    def has_match(self, *, accepted_too: bool = False) -> bool:
        """Whether `where` takes any row of the whole table, or of those too that somebody has accepted to stay."""
        return self._places.is_any(self._declared if accepted_too else self.where)

    def oversized_group(self) -> GroupTooLarge | None:
        """What speaks against a group that is too large to be taken into memory; None when there is none."""
        return self._cutter.oversized_group()

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────

    def read(self, batch: Batch) -> Reading:
        """Lock the batch's rows that `where` takes, and give those that the transform wants to see."""
        return self._reader.read(batch)

    def recall(self, image: Image, made: Condition, before: Mapping[str, ColumnElement[Any]]) -> Reading:
        """The rows of some images as they were before."""
        return self._reader.recall(image, made, before)

    def taken_keys(self, batch: Batch) -> Sequence[Key]:
        """Keys of the batch's rows that `where` takes."""
        return list(self.snapshot(batch, ()))

    def place_of(self, key: Key) -> tuple[Key | None, Key] | None:
        """Where a row stands in the walk, and the place before it; None when the row is not there any more."""
        return self._places.around(self.database.dialect.among(self._keys, [key]))

    def pass_over(self, keys: Sequence[Key]) -> None:
        """Leave the rows of these keys out of the batches that come, until others are named."""
        self._reader.pass_over(keys)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────

    def write(
        self,
        writes: Sequence[Write],
        batch: Batch,
        reading: Reading,
        *,
        only_changes: bool = False,
        record: Record = UNKEPT,
    ) -> Tally:
        """Make the writes of a batch, to all its rows or only to those that would change.

        Raises:
            WalkedAgain: a row was inserted to which the walk would come.
        """
        ahead = Ahead(self.table, self.walk, self._places, self.where)
        grows = any(ahead.may_grow_by(write.shape, self.tables.find(write.shape.table)) for write in writes)
        with ahead.not_growing(batch) if grows else nullcontext():
            return self._write(writes, batch, reading, only_changes, record)

    def _write(
        self, writes: Sequence[Write], batch: Batch, reading: Reading, only_changes: bool, record: Record
    ) -> Tally:
        writer = Writer(self.database, self.tables, record)
        tally = Tally()
        for write in writes:
            if isinstance(write.relation, Projection):
                for span in self._spans(batch, reading):
                    tally += self.projector.write(write, span, record, only_changes=only_changes)
            elif only_changes and write.shape.is_own and write.shape.verb is Verb.UPDATE:
                tally += writer.write(Write(write.shape, self._changing(write, write.relation, batch)))
            else:
                tally += writer.write(write, only_changes=only_changes)
        return tally

    def _spans(self, batch: Batch, reading: Reading) -> list[Span]:
        """The rows that a projection is about: those of the range, or those that were found once and for all."""
        if reading.keys is None:
            return [self._reader.span(batch)]
        return [Span(rows, {}) for rows in among(self.database, self._keys, reading.keys)]

    def make_room(self) -> None:
        """Let the database reuse the room of row versions that are dead."""
        self.database.dialect.vacuum(self.database.connection, self.table)

    # ── what is left ────────────────────────────────────────────────────────────────────────────────────────────

    def snapshot(self, batch: Batch, columns: Sequence[str], *, everything: bool = False) -> dict[Key, tuple[Any, ...]]:
        """The batch's rows that `where` takes, or all of them, with the values that `columns` hold now."""
        wanted = (self.table.c[name] for name in columns)
        statement = self._reader.select(batch, *wanted, where=true() if everything else self.where)
        width = len(self._keys)
        found = self.database.connection.execute(statement.order_by(*self.walk.ordering()))
        return {tuple(row[:width]): tuple(row[width:]) for row in found}

    def changing_keys(self, batch: Batch) -> list[Key]:
        """Keys of the batch's rows that `where` takes and for which the transform would change something."""
        if not self.tells_rows:
            return self._changing_by_trial(batch)
        keys: list[Key] = []
        answer = self.apply(self._reader.read_unlocked(batch), Given(self.transform, self.database))
        for write in answer.writes:
            if isinstance(write.relation, Projection):
                differs = self.projector.differs(write.relation)
                keys += [
                    tuple(row) for row in self.database.connection.execute(self._reader.select(batch).where(differs))
                ]
            else:
                keys += [key for key, _ in self._changing(write, write.relation, batch).rows]
        return keys

    @property
    def tells_rows(self) -> bool:
        """Whether each row that would change is known, not only that some of a batch would."""
        return self.bound.only_sets and not any(has_windows(write.relation) for write in self.bound.foreknown)

    def outstanding_keys(self, after: Key | None, rows: int) -> tuple[Sequence[Key], Key | None]:
        """Keys of rows that are still to be changed, among the next `rows`; and where to go on, None at the end."""
        last = self.last_key()
        batch = None if last is None else self.next_match(after, last, rows)
        if batch is None:
            return [], None
        return self.changing_keys(batch), None if batch.is_last else batch.upto

    def _changing_by_trial(self, batch: Batch) -> list[Key]:
        """Changes of other rows too are told by making them and taking them back."""
        with self.database.transaction(keep=False):
            keys = list(self.snapshot(batch, ()))
            reading = self.read(batch)
            answer = self.apply(reading, Given(self.transform, self.database))
            return keys if self.write(answer.writes, batch, reading, only_changes=True).written else []

    def _changing(self, write: Write, rows: Recordset, batch: Batch) -> Recordset:
        now = self.snapshot(batch, write.shape.columns)
        store = self.database.dialect.storable
        columns = [self.table.c[name] for name in write.shape.columns]
        return Recordset(
            [
                (key, values)
                for key, values in rows.rows
                if key in now and now[key] != tuple(map(store, columns, values))
            ],
            rows.is_sorted,
        )

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────────

    def adapt(self, expression: ColumnElement[Any]) -> ColumnElement[Any]:
        """An expression of the user's, tied to the table."""
        return adapt(expression, self.table, self.database.dialect.missing, self.tables.find_light)

    def _adapt_select(self, statement: Select[Any]) -> Select[Any]:
        return adapt_select(statement, self.table, self.database.dialect.missing, self.tables.find_light)

    def _sorted(self, expression: ColumnElement[Any], is_descending: bool) -> ColumnElement[Any]:
        adapted = self.adapt(expression)
        return adapted.desc() if is_descending else adapted.asc()
