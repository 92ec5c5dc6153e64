"""The ledger's tables, and how they come to be: on demand, or in a revision of the team's own."""

from __future__ import annotations

import time

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    insert,
    inspect,
    select,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import DBAPIError

from backfill.errors import LedgerTooNew

VERSION = 1
"""The shape of the tables below; raised with every change to them."""

IMAGE_PREFIX = "backfill_image_"
"""Begins the name of every table of before- and after-images."""

PATIENCE_SECONDS = 5.0
"""How long another process that has begun to create the tables may take."""

_Count = BigInteger().with_variant(Integer(), "sqlite")
_Moment = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
"""UTC, by the database's clock."""

metadata = MetaData()

version = Table(
    "backfill_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    mysql_engine="InnoDB",
)

run = Table(
    "backfill_run",
    metadata,
    Column("id", _Count, primary_key=True),
    Column("name", String(100), nullable=False, index=True),
    Column("active_name", String(100), unique=True, comment="the name while the run is active: one at a time"),
    Column("status", String(20), nullable=False),
    Column("reason", Text, comment="why it waits or failed"),
    Column("fingerprint", String(64), nullable=False),
    Column("definition", Text, nullable=False),
    Column("server", String(200), nullable=False),
    Column("rows_estimated", BigInteger),
    Column("keeps_undo", Boolean, nullable=False, server_default=false()),
    Column("created_at", _Moment, nullable=False),
    Column("started_at", _Moment),
    Column("updated_at", _Moment, nullable=False),
    Column("completed_at", _Moment),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

slice_ = Table(
    "backfill_slice",
    metadata,
    Column("run_id", _Count, ForeignKey(run.c.id), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("table_name", String(200), nullable=False),
    Column("sweep", Integer, nullable=False),
    Column("hi", Text, comment="the last key, as JSON"),
    Column("checkpoint", Text, comment="the last key committed, as JSON"),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("owner", String(200)),
    Column("lease_until", _Moment),
    Column("rows_read", BigInteger, nullable=False),
    Column("rows_written", BigInteger, nullable=False, comment="updated, inserted and deleted together"),
    Column("rows_inserted", BigInteger, nullable=False),
    Column("rows_deleted", BigInteger, nullable=False),
    Column("rows_skipped", BigInteger, nullable=False),
    Column("state", Text, comment="what is carried from batch to batch, as JSON"),
    Column("rows_per_second", Float(53)),
    Column("updated_at", _Moment, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

image = Table(
    "backfill_image",
    metadata,
    Column("name", String(64), primary_key=True, comment="the table of images itself"),
    Column("run_id", _Count, ForeignKey(run.c.id), nullable=False, index=True),
    Column("table_name", String(200), nullable=False),
    Column("verb", String(10), nullable=False, comment="what was done to its rows"),
    Column("key_columns", Text, nullable=False, comment="as JSON"),
    Column("columns", Text, nullable=False, comment="those kept, as JSON"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

rejection = Table(
    "backfill_rejection",
    metadata,
    Column("id", _Count, primary_key=True),
    Column("run_id", _Count, ForeignKey(run.c.id), nullable=False),
    Column("table_name", String(200), nullable=False),
    Column("key", Text, nullable=False, comment="the row's key, as JSON"),
    Column("key_hash", String(64), nullable=False),
    Column("reason", Text, nullable=False, comment="without the row's values"),
    Column("status", String(20), nullable=False),
    Column("created_at", _Moment, nullable=False),
    UniqueConstraint("run_id", "key_hash", name="backfill_rejection_once"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

RECORDS = (run, slice_, image, rejection)
"""The tables that runs are recorded in, those referred to first."""

TABLE_NAMES = frozenset(table.name for table in metadata.sorted_tables)


def owns(table_name: str | None) -> bool:
    """Whether a table is one of ours: of the ledger, or one of images."""
    return table_name is not None and (table_name in TABLE_NAMES or table_name.startswith(IMAGE_PREFIX))


def exists(connection: Connection) -> bool:
    """Whether the ledger is there; raises LedgerTooNew when a newer backfill wrote it."""
    if not inspect(connection).has_table(version.name):
        return False
    found = connection.execute(select(version.c.version)).scalar()
    if found is None:
        return False
    if found > VERSION:
        raise LedgerTooNew(
            f"the ledger in this database has version {found}, this backfill knows {VERSION}: "
            "upgrade it with: pip install -U backfill"
        )
    return True


def create(connection: Connection) -> None:
    """Create what is missing of the ledger. Safe to repeat, and for two processes at once."""
    try:
        metadata.create_all(connection)
        if connection.execute(select(version.c.version)).first() is None:
            connection.execute(insert(version).values(version=VERSION))
    except DBAPIError:
        if not _appears(connection):
            raise


def _appears(connection: Connection) -> bool:
    """Whether another process, quicker by a moment, finishes the tables."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while inspect(connection).has_table(version.name) and time.monotonic() < deadline:
        if exists(connection):
            return True
        time.sleep(0.05)
    return False


def image_names(connection: Connection) -> list[str]:
    """The tables of images that are there."""
    if not inspect(connection).has_table(image.name):
        return []
    return list(connection.execute(select(image.c.name)).scalars())


def drop(connection: Connection) -> None:
    """Drop the ledger with everything in it, images included."""
    for name in image_names(connection):
        Table(name, MetaData()).drop(connection, checkfirst=True)
    metadata.drop_all(connection)
