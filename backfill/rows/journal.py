"""Journal: takes images of the rows that a batch writes, in the batch's own transaction; or, where none are kept, none.

before   INSERT INTO image SELECT … FROM t WHERE the write takes them     and locks them
write    the statement itself; one that finds more rows than were imaged is taken back
after    UPDATE image SET a0 = t.c … FROM t                               what the row holds now
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import ColumnElement, Executable, Table, insert, literal, null, select
from sqlalchemy.sql.dml import Insert

from backfill.batch import Slice
from backfill.database import Database
from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Verb
from backfill.errors import RunFailed
from backfill.fault import Fault, Faulted
from backfill.key import Key
from backfill.rows.chosen import among
from backfill.rows.images import Image, Images, Stamp
from backfill.rows.tables import key_of, stored_columns


@dataclass(frozen=True)
class Taken:
    """Which rows of a table a write is about, and which of their columns."""

    verb: Verb
    table: Table
    columns: tuple[str, ...]
    conditions: Sequence[Condition]
    """Each takes some of them, and all together all."""
    parameters: Sequence[Mapping[str, Any]] | None = None
    """Of the conditions, once for each row given."""


class NoImage(Exception):
    """A kind of write was met for which there is no table of images yet."""

    def __init__(self, image: Image, table: Table) -> None:
        self.image = image
        self.table = table
        super().__init__(image.name)


class Record:
    """What a batch tells of its writes, where nobody keeps it: it makes them, and that is all."""

    def change(self, take: Callable[[], Taken], make: Callable[[], int]) -> int:
        """Make a write on rows that are there, those that `take` tells of; gives how many it found."""
        return make()

    def insert(
        self, database: Database, table: Table, statement: Insert, parameters: Sequence[Mapping[str, Any]] | None = None
    ) -> int:
        """Make an insert; gives how many rows came of it."""
        return database.change(statement, parameters)

    def note_inserted(self, table: Table, keys: Sequence[Key]) -> None:
        """Rows with these keys were inserted."""


UNKEPT = Record()


class Journal:
    """The images that runs keep."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._images = Images(database)
        self._known: set[Image] = set()

    def record(self, seen: Slice) -> Record:
        """What is to be told of the writes of a slice's next batch."""
        return _ImageRecord(self._database, self, seen) if seen.keeps_undo else UNKEPT

    def image_of(self, run_id: int, verb: Verb, table: Table, columns: tuple[str, ...]) -> Image:
        """Where a kind of write is kept.

        Raises:
            NoImage: nowhere yet; `create` it outside of the batch's transaction.
            RunFailed: nothing could be undone by it.
        """
        self._require_undoable(verb, table)
        kept = columns if verb is Verb.UPDATE else stored_columns(table)
        image = Image.of(run_id, table.fullname, verb, key_of(table), kept)
        if image not in self._known:
            raise NoImage(image, table)
        return image

    def _require_undoable(self, verb: Verb, table: Table) -> None:
        why = None
        if not key_of(table):
            why = "it has no key by which a row could be found again"
        elif verb is Verb.INSERT and not self._database.connection.dialect.insert_returning:
            why = "this database does not tell which rows came of an INSERT"
        elif verb is Verb.DELETE and any(column.identity and column.identity.always for column in table.columns):
            why = "it has a column that is GENERATED ALWAYS, which no deleted row would get back"
        if why:
            raise RunFailed(
                f"{verb} {table.fullname} cannot be undone: {why}. To run without images: the same with --no-keep-undo"
            )

    def create(self, missing: NoImage) -> None:
        """Make the table that a batch missed; the batch was rolled back, and is to be taken again."""
        self._images.create(missing.image, missing.table)
        self._known.add(missing.image)


class _ImageRecord(Record):
    """The images of one batch."""

    def __init__(self, database: Database, journal: Journal, seen: Slice) -> None:
        self._database = database
        self._journal = journal
        self._seen = seen
        self._writes = count(1)

    def change(self, take: Callable[[], Taken], make: Callable[[], int]) -> int:
        """Take the rows' images before and after."""
        taken = take()
        picture = self._picture(taken.verb, taken.table, taken.columns)
        imaged = sum(picture.take("b", condition, taken.parameters) for condition in taken.conditions)
        found = make()
        if found > imaged:
            raise Faulted(Fault.CONFLICT, "a row came in between its image and its write")
        if taken.verb is Verb.UPDATE and imaged:
            picture.complete()
        return found

    def insert(
        self, database: Database, table: Table, statement: Insert, parameters: Sequence[Mapping[str, Any]] | None = None
    ) -> int:
        """Take the images of what came of it, known by the keys that the database gives back."""
        self._journal.image_of(self._seen.run_id, Verb.INSERT, table, ())  # before the keyless table is written to
        returning = statement.returning(*(table.c[name] for name in key_of(table)))
        if statement.select is None or parameters is None:
            keys = self._keys_of(returning, parameters)
        else:  # an INSERT ... SELECT gives keys back only one by one
            keys = [key for given in parameters for key in self._keys_of(returning, given)]
        self.note_inserted(table, keys)
        return len(keys)

    def note_inserted(self, table: Table, keys: Sequence[Key]) -> None:
        """Take the images of rows that were inserted."""
        picture = self._picture(Verb.INSERT, table, ())
        for taken in among(self._database, [table.c[name] for name in key_of(table)], keys):
            picture.take("a", taken)

    def _picture(self, verb: Verb, table: Table, columns: tuple[str, ...]) -> _Picture:
        image = self._journal.image_of(self._seen.run_id, verb, table, columns)
        return _Picture(self._database, image, table, (self._seen.number, self._seen.seq, next(self._writes)))

    def _keys_of(self, returning: Executable, parameters: Any) -> list[Key]:
        return [tuple(row) for row in self._database.connection.execute(returning, parameters)]


@dataclass(frozen=True)
class _Picture:
    """The images of one write."""

    database: Database
    image: Image
    table: Table
    stamp: Stamp

    def take(self, side: str, taken: Condition, parameters: Sequence[Mapping[str, Any]] | None = None) -> int:
        """Copy what rows hold, and lock them until the transaction ends; gives how many there are."""
        keys = [self.table.c[name] for name in self.image.key]
        held = [self.table.c[name] for name in self.image.columns]
        absent = [null()] * len(held)  # said aloud, since MariaDB knows no default of such a table's columns
        columns: list[ColumnElement[Any]] = [*map(literal, self.stamp), *keys]
        columns += [*held, *absent] if side == "b" else [*absent, *held]
        locked = self.database.dialect.lock(select(*columns).where(taken))
        return self._copy(insert(self.image.kept).from_select(self.image.kept.c.keys(), locked), parameters)

    def complete(self) -> None:
        """Add what the rows hold after the write."""
        now = {after: self.table.c[name] for after, name in zip(self.image.after, self.image.columns, strict=True)}
        is_meant = self.image.made_by(*self.stamp)
        self._copy(self.database.dialect.copying(now, self.image.is_of(self.table), is_meant))

    def _copy(self, statement: Executable, parameters: Sequence[Mapping[str, Any]] | None = None) -> int:
        with self.database.dialect.verbatim(self.database.connection):
            return self.database.change(statement, parameters)
