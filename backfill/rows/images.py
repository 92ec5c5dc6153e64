"""Images: the tables in which a run keeps what rows held before and after its writes, so that it can be undone.

One table for each kind of write: an image of a row has its key, the columns written before (b0, b1, …) and after
(a0, a1, …) in the source's own types, and which batch wrote it. Values are copied inside the server, never fetched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    MetaData,
    Table,
    and_,
    cast,
    false,
    insert,
    inspect,
    literal,
    select,
)

from backfill import schema
from backfill.database import Database
from backfill.declaration.conditions import Condition
from backfill.declaration.writes import Verb
from backfill.fault import Faulted

STAMP = ("slice_number", "seq", "write_number")
"""Which batch made the write, and which of the batch's writes it was."""

Stamp = tuple[int, int, int]
"""The values of these."""


@dataclass(frozen=True)
class Image:
    """What is kept of one kind of write."""

    name: str
    run_id: int
    table: str
    verb: Verb
    key: tuple[str, ...]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, run_id: int, table: str, verb: Verb, key: tuple[str, ...], columns: tuple[str, ...]) -> Image:
        """The image of a kind of write; its name says which."""
        kind = hashlib.sha256(json.dumps([table, verb, key, columns]).encode()).hexdigest()
        return cls(f"{schema.IMAGE_PREFIX}{run_id}_{kind[:12]}", run_id, table, verb, key, columns)

    @classmethod
    def read(cls, row: Any) -> Image:
        """The image that a row of the ledger describes."""
        key, columns = tuple(json.loads(row.key_columns)), tuple(json.loads(row.columns))
        return cls(row.name, row.run_id, row.table_name, Verb(row.verb), key, columns)

    @cached_property
    def kept(self) -> Table:
        """The table of images."""
        stamp = (Column(name, BigInteger) for name in STAMP)
        keys = (Column[Any](f"k{n}") for n in range(len(self.key)))
        values = (Column[Any](f"{side}{n}") for side in "ba" for n in range(len(self.columns)))
        return Table(self.name, MetaData(), *stamp, *keys, *values)

    @property
    def keys(self) -> list[Column[Any]]:
        """Which row it is."""
        return [self.kept.c[f"k{n}"] for n in range(len(self.key))]

    @property
    def before(self) -> list[Column[Any]]:
        """What the row held; nothing of one that was inserted."""
        return [self.kept.c[f"b{n}"] for n in range(len(self.columns))]

    @property
    def after(self) -> list[Column[Any]]:
        """What was written; nothing of one that was deleted."""
        return [self.kept.c[f"a{n}"] for n in range(len(self.columns))]

    def is_of(self, row: Table) -> Condition:
        """Whether an image is of this row of the table."""
        return and_(*(row.c[name] == key for name, key in zip(self.key, self.keys, strict=True)))

    def made_by(self, slice_number: int, seq: int, write_number: int | None = None) -> Condition:
        """The images of one batch, or of one of its writes."""
        stamp = zip(STAMP, (slice_number, seq, write_number), strict=True)
        return and_(*(self.kept.c[name] == value for name, value in stamp if value is not None))


class Images:
    """The ledger's record of images, and their tables."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connection

    def of_run(self, run_id: int) -> list[Image]:
        """All that a run keeps; one whose dropping was interrupted is not among them."""
        found = select(schema.image).where(schema.image.c.run_id == run_id).order_by(schema.image.c.name)
        with self._database.faults():
            images = [Image.read(row) for row in self._connection.execute(found)]
            return [image for image in images if inspect(self._connection).has_table(image.name)]

    def create(self, image: Image, table: Table) -> None:
        """Make the table of an image and enter it; another worker may do the same at this moment."""
        index = Index(f"{image.name}_stamp", *(image.kept.c[name] for name in STAMP))
        try:
            with self._database.transaction():
                self._connection.exec_driver_sql(self._creating(image, table))
                index.create(self._connection, checkfirst=True)
                self._connection.execute(insert(schema.image).values(_entry(image)))
        except Faulted:
            if image not in self.of_run(image.run_id):
                raise

    def _creating(self, image: Image, table: Table) -> str:
        """CREATE TABLE ... AS SELECT gives each column its source's type; an outer join, since none may be NOT NULL."""
        one = select(literal(1).label("one")).subquery("one")
        shaped = select(*_shape(image, table)).select_from(one.outerjoin(table, false())).where(false())
        compiled = shaped.compile(self._connection, compile_kwargs={"literal_binds": True})
        quoted = self._connection.dialect.identifier_preparer.quote(image.name)
        return f"CREATE TABLE IF NOT EXISTS {quoted} {self._database.dialect.table_options} AS {compiled}"

    def drop(self, images: Sequence[Image]) -> None:
        """Drop images for good."""
        for image in images:
            with self._database.transaction():
                image.kept.drop(self._connection, checkfirst=True)
                self._connection.execute(schema.image.delete().where(schema.image.c.name == image.name))


def _entry(image: Image) -> dict[str, Any]:
    return {
        "name": image.name,
        "run_id": image.run_id,
        "table_name": image.table,
        "verb": image.verb,
        "key_columns": json.dumps(image.key),
        "columns": json.dumps(image.columns),
    }


def _shape(image: Image, table: Table) -> Iterator[ColumnElement[Any]]:
    for name in STAMP:
        yield cast(literal(0), Integer if name == "write_number" else BigInteger).label(name)
    for n, name in enumerate(image.key):
        yield table.c[name].label(f"k{n}")
    for side in "ba":
        for n, name in enumerate(image.columns):
            yield table.c[name].label(f"{side}{n}")
