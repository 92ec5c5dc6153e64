"""Rewriting a column that others write, too: with the rows locked, compared before they are written, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from backfill.dialects import dialect_of
from benchmarks.contender import NotAvailable, Target, Work
from benchmarks.contenders.drivers import PostgreSQL
from benchmarks.contenders.ours import backfilled
from benchmarks.transforms.mark_bio import MARK

Row = tuple[int, str, str]
"""A key, a bio, and the transaction that wrote it."""

_STAGE = "CREATE TEMPORARY TABLE bench_bios (id bigint, bio text, seen xid) ON COMMIT DELETE ROWS"
_READ = "SELECT id, bio, xmin::text FROM bench_users"
_WRITE = (
    "UPDATE bench_users u SET bio = n.bio FROM bench_bios n "
    "WHERE u.id = n.id AND u.id BETWEEN ? AND ? AND u.xmin = n.seen RETURNING u.id"
)


def unlocked(target: Target, batch: int) -> Work:
    """Backfill with its row locks taken out: edits must get lost, or none of the figures means anything."""
    with target.engine().connect() as connection:
        dialect = type(dialect_of(connection))
    patch.object(dialect, "lock", lambda _dialect, statement: statement).start()  # this process ends with the run
    return backfilled(target, "mark_bio", batch=batch)


def by_hand(target: Target, batch: int, *, is_locked: bool) -> Work:
    """A hand-written loop that locks its rows, or writes only those that nobody has written since they were read."""
    if target.database != "postgresql":
        raise NotAvailable("only PostgreSQL tells which transaction wrote a row")
    driver = PostgreSQL(target)
    driver.execute(_STAGE)
    lock = driver.lock if is_locked else ""

    def loop() -> None:
        last: int | None = 0
        while last is not None:
            with driver.batch():
                last = _rewrite_page(driver, f"{_READ} WHERE id > ? ORDER BY id LIMIT {batch}{lock}", last)
        driver.close()

    return loop


def _rewrite_page(driver: PostgreSQL, statement: str, last: int) -> int | None:
    """One batch; gives where it ended, or None when there was nothing left."""
    rows = driver.execute(statement, last).fetchall()
    if not rows:
        return None
    upto: int = rows[-1][0]
    while missed := _write(driver, rows):
        driver.execute("TRUNCATE bench_bios")
        rows = driver.execute(f"{_READ} WHERE id = ANY(?) ORDER BY id", missed).fetchall()
    driver.keep_checkpoint(upto)
    return upto


def _write(driver: PostgreSQL, rows: Sequence[Row]) -> list[Any]:
    """Write what is still as it was read; gives the keys of the others."""
    with driver.cursor.copy("COPY bench_bios FROM STDIN") as copy:
        for key, bio, seen in rows:
            copy.write_row((key, bio + MARK, seen))
    written = driver.execute(_WRITE, rows[0][0], rows[-1][0])
    if written.rowcount == len(rows):
        return []
    kept = {key for (key,) in written.fetchall()}
    return [key for key, _, _ in rows if key not in kept]
