"""Workloads: small runs in which a lost or doubled row shows, since each row must be counted exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

import backfill
from backfill import Rejected, Rows, is_missing, schema
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.run import Run
from backfill.running.crew import Work
from backfill.running.runner import run
from backfill.settings import Settings

people = sa.Table(
    "people",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Column("label", sa.String(20)),
    mysql_engine="InnoDB",
)

ACCEPTED = ("synchronous",)
"""No test here cuts the power, so SQLite need not wait for the disk."""

STEP = 10
"""Row `id` starts with n = STEP * id, so that n tells how often it was counted."""


REFUSED = STEP * 7
"""What one row holds that `refuse_seventh` cannot count."""


class Counter(BaseModel):
    """What is read."""

    n: int


class Counted(BaseModel):
    """What is written."""

    n: int


class Labelled(BaseModel):
    """What is written where the written row is not taken again."""

    n: int
    label: str


@backfill.transform("people")
def count_in_sql(people: Rows) -> dict[str, Any]:
    """Count every row, in the database."""
    return {"n": people.c.n + 1}


@backfill.transform("people")
def count_by_row(row: Counter) -> Counted:
    """Count every row, in Python."""
    return Counted(n=row.n + 1)


@backfill.transform("people", where=is_missing("label"))
def label_by_row(row: Counter) -> Labelled:
    """Count and label rows without a label; a sweep looks for those that came late."""
    return Labelled(n=row.n + 1, label="done")


@backfill.transform("people", where=is_missing("label"))
def label_in_sql(people: Rows) -> dict[str, Any]:
    """Do the same in the database."""
    return {"n": people.c.n + 1, "label": "done"}


@backfill.transform("people")
def refuse_seventh(row: Counter) -> Counted:
    """Count every row but one."""
    if row.n == REFUSED:
        raise Rejected("it is the seventh")
    return Counted(n=row.n + 1)


TRANSFORMS: dict[str, Transform[..., Any]] = {
    transform.name: transform for transform in (count_in_sql, count_by_row, label_by_row, label_in_sql)
}


@dataclass(frozen=True)
class Tally:
    """How often the rows were counted."""

    rows: int
    lost: int
    doubled: int

    @property
    def is_exact(self) -> bool:
        """Whether every row was counted exactly once."""
        return self.rows > 0 and self.lost == self.doubled == 0


def open_engine(url: str | sa.URL, *, pool: type[sa.Pool] = sa.NullPool) -> sa.Engine:
    """Make an engine that is quick to connect."""
    no_certificates = {"ssl_disabled": True} if sa.make_url(url).drivername == "mysql+pymysql" else {}
    engine = sa.create_engine(url, poolclass=pool, connect_args=no_certificates)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _relax(connection: Any, _: object) -> None:
            connection.execute("PRAGMA synchronous = OFF")

    return engine


def seed(engine: sa.Engine, rows: int) -> None:
    """Bring the table to `rows` uncounted rows, among them 0 and negative ids, and empty the ledger."""
    people.create(engine, checkfirst=True)
    with engine.begin() as connection:
        forget_runs(connection)
        connection.execute(people.delete())
        low = -(rows // 4)
        connection.execute(people.insert().values(id=low, n=STEP * low))
        done = 1
        while done < rows:
            more = min(done, rows - done)
            source = sa.select(people.c.id + done, people.c.n + STEP * done).where(people.c.id < low + more)
            connection.execute(people.insert().from_select(["id", "n"], source))
            done += more


LATE = -1_000
"""The id of a row that is committed behind the checkpoint."""


def insert_late(engine: sa.Engine) -> None:
    """Insert a row that the walk has passed already, unless it is there."""
    is_there = sa.select(people.c.id).where(people.c.id == LATE)
    with engine.begin() as connection:
        if connection.execute(is_there).first() is None:
            connection.execute(people.insert().values(id=LATE, n=STEP * LATE))


def forget_runs(connection: sa.Connection) -> None:
    """Empty the ledger, if there is one."""
    if sa.inspect(connection).has_table(schema.slice_.name):
        for name in schema.image_names(connection):
            sa.Table(name, sa.MetaData()).drop(connection, checkfirst=True)
        for ledger in reversed(schema.RECORDS):
            connection.execute(ledger.delete())


def tally(engine: sa.Engine) -> Tally:
    """Count the rows that were not counted exactly once; the database counts, however many there are."""
    counted = people.c.n - STEP * people.c.id
    wrongs = (sa.func.coalesce(sa.func.sum(sa.case((wrong, 1), else_=0)), 0) for wrong in (counted < 1, counted > 1))
    with engine.connect() as connection:
        row = connection.execute(sa.select(sa.func.count(), *wrongs).select_from(people)).one()
    return Tally(*map(int, row))


def counts(engine: sa.Engine) -> dict[int, int]:
    """How often each row was counted."""
    with engine.connect() as connection:
        return {row.id: row.n - STEP * row.id for row in connection.execute(sa.select(people.c.id, people.c.n))}


def settings(**changes: Any) -> Settings:
    """Settings for small batches of one size and short waits."""
    small = {"batch_size": 10, "max_batch_size": 10, "batch_seconds": 60.0, "lock_seconds": 1.0, "attempts": 2}
    return Settings(**{**small, **changes})


@contextmanager
def opened(engine: sa.Engine, chosen: Settings | None = None) -> Iterator[Database]:
    """Open a database as `backfill run` does."""
    with Database.of(engine, (chosen or settings()).limits) as database:
        yield database


def run_on(engine: sa.Engine, transform: Transform[..., Any], chosen: Settings | None = None, **options: Any) -> Run:
    """Run the transform on a connection of its own, as `backfill run` does."""
    chosen = chosen or settings()
    with opened(engine, chosen) as database:
        return run(database, transform, chosen, **{"accept": ACCEPTED, **options})


def visit_people(url: str, name: str, work: Work) -> None:
    """Come to the table from another process, as a helper does."""
    with opened(open_engine(url)) as database:
        work(database, TRANSFORMS[name])


def outcome(engine: sa.Engine, name: str) -> tuple[str, int]:
    """Status and rows written of the newest run of a name."""
    of_name = schema.run.c.name == name
    written = sa.select(sa.func.sum(schema.slice_.c.rows_written)).where(schema.slice_.c.run_id == schema.run.c.id)
    newest = sa.select(schema.run.c.status, written.scalar_subquery()).where(of_name).order_by(schema.run.c.id.desc())
    with engine.connect() as connection:
        status, rows = connection.execute(newest).first() or ("none", 0)
    return status, int(rows or 0)
