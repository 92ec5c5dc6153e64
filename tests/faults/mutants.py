"""Mutants: the batch protocol with one thing wrong, to prove that the checks would notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import DateTime, MetaData, Table, and_, insert, literal, select, text, true
from sqlalchemy.exc import DBAPIError

from backfill.batch import Batch, Slice, Tally
from backfill.database import Database
from backfill.dialects.mysql import MySQL
from backfill.dialects.postgresql import PostgreSQL
from backfill.dialects.sqlite import SQLite
from backfill.fault import Faulted
from backfill.key import Key
from backfill.rows.journal import _Picture
from backfill.rows.places import Places
from backfill.rows.reader import Reader
from backfill.rows.restoration import Restoration
from backfill.rows.target import Target
from backfill.rows.walk import Walk
from backfill.running.patience import Patience
from backfill.running.worker import Worker
from backfill.sentinel import Sentinel
from backfill.slices import Slices
from tests.faults.wrong_protocols import (
    Changes,
    Unguarded,
    checkpoint_after_data,
    checkpoint_before_data,
    checkpoint_elsewhere,
    guard,
    inserts_after_commit,
    retry_from_memory,
    state_after_commit,
)


def _piece_from_start(slices: Any, run_id: int, **values: Any) -> int:
    return _original_insert(slices, run_id, **{**values, "checkpoint": None})


MOST = 8
"""Rows of a batch, at most, of which hand-written loops believe that a shorter one is the last."""


def _ends_when_nothing_is_written() -> Changes:
    tallies: list[Tally] = []
    fill, commit_batch = Worker._fill, Worker._commit_batch

    def note(worker: Any, *given: Any) -> Any:
        tally, state = fill(worker, *given)
        tallies.append(tally)
        return tally, state

    def commit(worker: Any, held: Slice) -> bool:
        return commit_batch(worker, held) and tallies[-1].written > 0

    return [(Worker, "_fill", note), (Worker, "_commit_batch", commit)]


def _from_the_last_key_on(walk: Any, after: Key | None, upto: Key) -> Any:
    first = true() if after is None else walk.columns[0] >= after[0]
    return and_(first, walk._upto(upto))


def _from_zero_on(walk: Any, after: Key | None, upto: Key) -> Any:
    return _original_span(walk, (0,) if after is None else after, upto)


def _below_the_next_key(walk: Any, after: Key | None, upto: Key) -> Any:
    first = true() if after is None else walk._after(after)
    return and_(first, walk.columns[0] < upto[0] + 1)


@contextmanager
def _no_sentinel(database: Database) -> Iterator[Sentinel]:
    yield Unguarded(database.connection, database.dialect)


def _through_python(picture: Any, side: str, taken: Any, parameters: Any = None) -> int:
    """Images as what Python makes of them; `side` is before, as in every update."""
    connection = picture.database.connection
    wanted = [picture.table.c[name] for name in (*picture.image.key, *picture.image.columns)]
    found = connection.execute(select(*wanted).where(taken), parameters).all()
    kept = Table(picture.image.name, MetaData(), autoload_with=connection)
    empty = [None] * len(picture.image.columns)
    for row in found:
        values = [*picture.stamp, *row, *empty]
        connection.execute(insert(kept).values(dict(zip(kept.c.keys(), values, strict=True))))
    return len(found)


def _swallowing(write: Callable[..., Tally]) -> Callable[..., Tally]:
    def write_if_possible(*given: Any, **named: Any) -> Tally:
        try:
            return write(*given, **named)
        except DBAPIError:
            return Tally()

    return write_if_possible


def _forgetting(reread: Callable[..., Slice]) -> Callable[..., Slice]:
    return lambda slices, held: replace(reread(slices, held), checkpoint=None)


def _yesterday(_dialect: Any, seconds: float = 0) -> Any:
    return literal(datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1) + timedelta(seconds=seconds), DateTime())


def _greatest_in_python(places: Any) -> Key | None:
    """By code points, whatever the collation says."""
    found = places._connection.execute(select(*places._walk.columns)).all()
    return max((tuple(row) for row in found), default=None)


def _pasting(build: Callable[..., None]) -> Callable[..., None]:
    """Conditions as text, put behind one another."""

    def build_and_paste(reader: Any, *given: Any) -> None:
        build(reader, *given)
        pasted = reader._where.compile(reader._database.connection, compile_kwargs={"literal_binds": True})
        reader._where = text(str(pasted).removeprefix("(").removesuffix(")"))

    return build_and_paste


def _of(restoration: Any) -> Any:
    return restoration._table


_original_span = Walk.span
_original_insert = Slices._insert


def _locking(lock: Callable[..., Any]) -> Changes:
    return [(dialect, "lock", lock) for dialect in (PostgreSQL, MySQL)]


CRASHING: dict[str, Changes] = {
    "checkpoint-before-data": [(Worker, "_commit_batch", checkpoint_before_data)],
    "checkpoint-after-data": [(Worker, "_commit_batch", checkpoint_after_data)],
}
APART: dict[str, Changes] = {
    "checkpoint-elsewhere": [(Worker, "_commit_batch", checkpoint_elsewhere)],
}
"""Not on SQLite, where the second connection waits for the first."""

STRAYING: dict[str, Changes] = {
    "state-after-commit": [(Worker, "_commit_batch", state_after_commit)],
    "inserts-after-commit": inserts_after_commit(),
}
SHOWN_BY = {"state-after-commit": "number_all", "inserts-after-commit": "note_twice"}
"""The run that shows it."""

FENCING: dict[str, Changes] = {
    "no-epoch": [(Slices, "advance", guard("seq", "is_open"))],
    "no-seq": [(Slices, "advance", guard("epoch", "is_open"))],
    "no-guard": [(Slices, "advance", guard())],
    "rowcount-ignored": [(Slices, "advance", guard("epoch", "seq", "is_open", checks_rowcount=False))],
}
FORGETFUL: dict[str, Changes] = {
    "retry-from-memory": [(Worker, "_commit_batch", retry_from_memory)],
}
LOCKING: dict[str, Changes] = {
    "no-row-lock": _locking(lambda _, statement: statement),
    "skip-locked": _locking(lambda _, statement: statement.with_for_update(skip_locked=True)),
}
SHARING: dict[str, Changes] = {
    "piece-from-start": [(Slices, "_insert", _piece_from_start)],
}
WALKING: dict[str, Changes] = {
    "ends-on-short-batch": [(Batch, "is_last", property(lambda batch: batch.rows < MOST or batch.upto == batch.hi))],
    "ends-when-nothing-is-written": _ends_when_nothing_is_written(),
    "takes-the-last-key-again": [(Walk, "between", _from_the_last_key_on)],
    "starts-at-zero": [(Walk, "span", _from_zero_on)],
    "adds-one-to-the-key": [(Walk, "between", _below_the_next_key)],
    "compares-keys-in-python": [(Places, "last", _greatest_in_python)],
    "pastes-conditions": [(Reader, "__init__", _pasting(Reader.__init__))],
}
"""What loops written by hand do."""

FORGIVING: dict[str, Changes] = {
    "no-sentinel": [(Database, "sentinel", _no_sentinel)],
    "repeats-what-nobody-knows": [(Patience, "_may_repeat", lambda _patience, error: isinstance(error, Faulted))],
    "swallows-conflicts": [(Target, "write", _swallowing(Target.write))],
    "forgets-where-it-was": [(Slices, "reread", _forgetting(Slices.reread))],
    "undoes-what-is-not-ours": [
        (Restoration, "_is_ours", lambda restoration: restoration.image.is_of(_of(restoration)))
    ],
    "images-through-python": [(_Picture, "take", _through_python)],
    "a-clock-of-ones-own": [(dialect, "clock", _yesterday) for dialect in (PostgreSQL, MySQL, SQLite)],
}
DYING = CRASHING | STRAYING | APART
ALL = DYING | FENCING | FORGETFUL | LOCKING | SHARING | WALKING | FORGIVING


def plant(name: str) -> None:
    """Put the mutant in the place of the original, for the rest of this process."""
    for change in ALL[name]:
        setattr(*change)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Put the mutant in the place of the original for a while."""
    with pytest.MonkeyPatch.context() as patch:
        for change in ALL[name]:
            patch.setattr(*change)
        yield
