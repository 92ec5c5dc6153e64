"""Stage: tables with rows in them, on which a transform is run again and again from the same beginning."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any, Self

from sqlalchemy import Connection, Engine, Table, delete, inspect, select

from backfill import schema
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import BackfillError, Refused
from backfill.ledger import Ledger
from backfill.rows.images import Images
from backfill.rows.opening import open_sources
from backfill.rows.source import Source
from backfill.rows.tables import Tables
from backfill.running.runner import run
from backfill.running.undoer import undo
from backfill.settings import Settings
from backfill.testing.contents import Contents, put_in, read, require_empty, take_out
from backfill.testing.end import End, end_of, name_of
from backfill.testing.moments import sent

ALL_ROWS = 10_000
"""A batch of so many takes all that a test has."""

_WRITTEN = re.compile(
    r"\b(?:INSERT\s+INTO|DELETE\s+FROM|(?<!FOR )(?<!KEY )(?<!DO )UPDATE)\s+(?:[`\"]?\w+[`\"]?\.)?[`\"]?(\w+)",
    re.IGNORECASE,
)
"""A table that a statement writes; not the UPDATE of SELECT … FOR UPDATE or of an upsert."""


class Stage(AbstractContextManager["Stage"]):
    """A transform, tables that are its own for a while, and the rows with which every run begins."""

    def __init__(
        self,
        engine: Engine,
        transform: Transform[..., Any],
        rows: Contents,
        *,
        fresh: Collection[str] = (),
        accept: Collection[str] = (),
    ) -> None:
        self.engine = engine
        self.transform = transform
        self.fresh = frozenset(fresh)
        self.tables: dict[str, Table] = {}
        self._accept = tuple(accept)
        self._start: Contents = rows
        self._has_images = False

    def __enter__(self) -> Self:
        """Put the rows into the tables, and note what the database makes of them."""
        with self.database() as database:
            found = Tables(database)
            self.tables = {name: found.find(name) for name in self._start}
            require_empty(database.connection, self.tables)
            with database.transaction() as connection:
                put_in(database, self.tables, self._start)
                self._start = read(connection, self.tables)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the tables as they were: empty."""
        self._start = {name: [] for name in self.tables}
        self.reset()

    # ── runs ────────────────────────────────────────────────────────────────────────────────────────────────────

    def reset(self) -> None:
        """Bring the rows to their beginning, and forget every run of the transform."""
        with self.database() as database:
            self._forget_images(database)
            with database.transaction() as connection:
                self._forget_runs(connection)
                take_out(connection, self.tables)
                put_in(database, self.tables, self._start)

    def perform(
        self,
        *,
        batch: int = ALL_ROWS,
        from_start: bool = False,
        keep_undo: bool = False,
        by: Transform[..., Any] | None = None,
    ) -> None:
        """Run the transform for real, or go on with the run, in batches of so many rows."""
        settings = _settings(batch, keep_undo=keep_undo)
        self._has_images = self._has_images or keep_undo
        with Database.of(self.engine, settings.limits) as database, _without_commands():
            run(database, by or self.transform, settings, accept=self._accept, from_start=from_start)

    def undo(self) -> None:
        """Take back what the runs wrote that kept images."""
        with self.database() as database:
            undo(database, self.transform.name, _settings(ALL_ROWS))

    @cached_property
    def undisturbed(self) -> End:
        """The end of a run that nothing happens to."""
        return end_of(self.tables, self.result, self.start, self.fresh)

    @cached_property
    def undisturbed_in_ones(self) -> End:
        """The end of such a run in batches of one row, for what can only be disturbed between batches."""
        self.reset()
        self.perform(batch=1)
        return self.end()

    @cached_property
    def result(self) -> Contents:
        """The rows after an undisturbed run, as the database holds them."""
        self.reset()
        with sent(self.engine) as statements:
            self.perform()
        with self.database() as database:
            self._require_named(database.connection, statements)
        return self.rows()

    # ── what is there ───────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def start(self) -> End:
        """The rows with which every run begins."""
        return self.named(self._start)

    def rows(self) -> Contents:
        """What the tables hold now."""
        with self.database() as database:
            return read(database.connection, self.tables)

    def named(self, rows: Contents) -> End:
        """These rows by what they are called, as they are."""
        return {name: {name_of(self.tables[name], row): row for row in each} for name, each in rows.items()}

    def end(self, fresh: Collection[str] | None = None) -> End:
        """What the tables hold now, to be compared; `fresh` are the columns of which only the presence is told."""
        return end_of(self.tables, self.rows(), self.start, self.fresh if fresh is None else fresh)

    def changed(self, table: str, end: End) -> list[str]:
        """The rows of the beginning that do not hold at an end what they held."""
        rows = end[table]
        return [name for name, row in self.start[table].items() if name in rows and rows[name] != row]

    @contextmanager
    def database(self) -> Iterator[Database]:
        """A connection beside those of the runs."""
        with Database.of(self.engine) as database:
            yield database

    @cached_property
    def source(self) -> Source:
        """What the definition proves, of the first table: its connection is closed, so nothing can be read by it."""
        with self.database() as database:
            return open_sources(database, self.transform)[0]

    # ── what is not there ───────────────────────────────────────────────────────────────────────────────────────

    def _forget_runs(self, connection: Connection) -> None:
        if not inspect(connection).has_table(schema.run.name):
            return
        known = select(schema.run.c.id).where(schema.run.c.name == self.transform.name)
        runs = list(connection.scalars(known))
        for record in reversed(schema.RECORDS):
            run_id = record.c.id if record is schema.run else record.c.run_id
            connection.execute(delete(record).where(run_id.in_(runs)))

    def _forget_images(self, database: Database) -> None:
        if self._has_images:
            images = Images(database)
            for each in Ledger(database).runs(self.transform.name):
                images.drop(images.of_run(each.id))
        self._has_images = False

    def _require_named(self, connection: Connection, statements: Sequence[str]) -> None:
        """Tables that are written without being named would be neither emptied nor compared."""
        written = {name for statement in statements for name in _WRITTEN.findall(statement) if not schema.owns(name)}
        strangers = written - {table.name for table in self.tables.values()}
        if strangers and (real := strangers.intersection(inspect(connection).get_table_names())):
            raise Refused(
                f"{self.transform.name} writes {min(real)}, which is not among the tables of its rows: name it too, as "
                f'in {{..., "{min(real)}": []}}, so that it is emptied before each run and compared after it',
                code="rehearse-writes",
            )


@contextmanager
def _without_commands() -> Iterator[None]:
    """Drop the note on what to type next: it is for those who have a run in a database."""
    try:
        yield
    except BackfillError as error:
        error.__notes__ = []
        raise


def _settings(batch: int, *, keep_undo: bool = False) -> Settings:
    return Settings(batch_size=batch, max_batch_size=batch, lock_seconds=1, attempts=3, keep_undo=keep_undo)
