"""What loops written by hand get wrong shows in these checks, each with one thing wrong; without it they are silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

import backfill
from backfill import Rows, is_missing
from backfill.errors import BackfillError, DatabaseFailed
from backfill.ledger import Ledger
from backfill.running.undoer import undo
from backfill.settings import Settings
from backfill.slices import Slices
from backfill.status import Status
from tests.faults import mutants
from tests.faults.test_endings import meddling_run
from tests.faults.workloads import (
    Counted,
    Counter,
    count_in_sql,
    counts,
    forget_runs,
    open_engine,
    opened,
    people,
    run_on,
    seed,
    settings,
)

ROWS = 12
GROWING = settings(batch_size=4, max_batch_size=mutants.MOST)
GREATEST = 2**63 - 1

both_ways = pytest.mark.parametrize("is_planted", [False, True], ids=["right", "wrong"])


def planted(name: str, is_planted: bool) -> Any:
    """The mutant, or what it was made of."""
    return mutants.planted(name) if is_planted else nullcontext()


def is_exact(engine: sa.Engine, transform: Any, chosen: Settings = GROWING) -> bool:
    """Whether a run ends with every row counted once."""
    try:
        run_on(engine, transform, chosen)
    except BackfillError:
        return False
    return set(counts(engine).values()) == {1}


@both_ways
@pytest.mark.parametrize("name", ["ends-on-short-batch", "takes-the-last-key-again", "starts-at-zero"])
def test_a_walk_that_misses_or_repeats_rows(pooled: sa.Engine, name: str, is_planted: bool) -> None:
    """Batches grow, keys are negative, and each row is to be met once."""
    seed(pooled, ROWS)
    with planted(name, is_planted):
        assert is_exact(pooled, count_in_sql) is not is_planted


@both_ways
def test_a_walk_that_ends_when_nothing_is_written(pooled: sa.Engine, is_planted: bool) -> None:
    """The function leaves a whole batch as it is, and there are rows behind it."""
    seed(pooled, ROWS)

    @backfill.transform("people")
    def count_late_rows(row: Counter) -> Counted | None:
        """Leave the first rows."""
        return Counted(n=row.n + 1) if row.n > 20 else None

    with planted("ends-when-nothing-is-written", is_planted):
        run_on(pooled, count_late_rows, settings(batch_size=4, max_batch_size=4))
    assert (sum(counts(pooled).values()) == 0) is is_planted


@both_ways
def test_a_walk_that_adds_one_to_the_key(server_url: sa.URL, is_planted: bool) -> None:
    """Beyond the greatest number there is none; SQLite alone goes on with a fraction."""
    engine = open_engine(server_url)
    people.create(engine)
    with engine.begin() as connection:
        forget_runs(connection)
        connection.execute(people.insert().values(id=GREATEST, n=0))
    with planted("adds-one-to-the-key", is_planted):
        if is_planted:
            with pytest.raises(BackfillError, match=r"22003|1690"):
                run_on(engine, count_in_sql, GROWING)
        else:
            assert run_on(engine, count_in_sql, GROWING).rows_written == 1


IN_ORDER = ("a", "B", "c", "Z")
"""As people sort them; by code points b is the last one."""
BLIND = {"sqlite": "NOCASE", "postgresql": "und-x-icu", "mysql": "utf8mb4_general_ci"}
"""Collations that sort so."""


@both_ways
def test_keys_that_are_compared_in_python(pooled: sa.Engine, is_planted: bool) -> None:
    """The database's last key is another one than Python's, and what lies behind it is never walked."""
    key = sa.Column("id", sa.String(20, collation=BLIND[pooled.dialect.name]), primary_key=True)
    words = sa.Table("words", sa.MetaData(), key, sa.Column("n", sa.Integer, nullable=False), mysql_engine="InnoDB")
    words.create(pooled)
    with pooled.begin() as connection:
        connection.execute(words.insert(), [{"id": word, "n": 0} for word in IN_ORDER])

    @backfill.transform("words")
    def count_words(words: Rows) -> dict[str, Any]:
        """One more."""
        return {"n": words.c.n + 1}

    with planted("compares-keys-in-python", is_planted):
        run_on(pooled, count_words, GROWING)
    with pooled.connect() as connection:
        counted = connection.execute(sa.select(words.c.id).where(words.c.n == 1)).scalars().all()
    assert sorted(counted) == sorted(IN_ORDER[:3] if is_planted else IN_ORDER)


@both_ways
def test_conditions_that_are_pasted_without_parentheses(pooled: sa.Engine, is_planted: bool) -> None:
    """What stands behind OR would hold for the rows of all batches."""
    seed(pooled, ROWS)

    @backfill.transform("people", where=sa.or_(is_missing("label"), sa.column("n") < 0))
    def count_unlabelled(people: Rows) -> dict[str, Any]:
        """One more, and a label."""
        return {"n": people.c.n + 1, "label": "done"}

    with planted("pastes-conditions", is_planted):
        run_on(pooled, count_unlabelled, settings(batch_size=4, max_batch_size=4))
    most = max(counts(pooled).values())
    assert (most > 1) is is_planted


@both_ways
def test_a_checkpoint_that_is_forgotten(pooled: sa.Engine, is_planted: bool) -> None:
    """A ledger that cannot be read is no ledger without an entry."""
    seed(pooled, ROWS)
    with planted("forgets-where-it-was", is_planted):
        if is_planted:
            with pytest.raises(AssertionError, match="twice"):
                _count_until_doubled(pooled)
        else:
            _count_until_doubled(pooled)


def _count_until_doubled(engine: sa.Engine) -> None:
    """A walk that begins again and again would have no end."""

    @backfill.transform("people")
    def count_once(row: Counter) -> Counted:
        """Look whether the row was counted already."""
        assert row.n % 10 == 0, "twice"
        return Counted(n=row.n + 1)

    try:
        run_on(engine, count_once, settings(batch_size=4, max_batch_size=4))
    except BackfillError:
        raise AssertionError("twice") from None


@both_ways
def test_a_batch_without_its_sentinel(pooled: sa.Engine, is_planted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A COMMIT inside goes unnoticed: from there on each statement stands at once."""
    seed(pooled, ROWS)
    with planted("no-sentinel", is_planted), noticed("something inside the batch committed") as is_noticed:
        meddling_run(pooled, "COMMIT", monkeypatch)
    assert bool(is_noticed) is not is_planted
    assert (set(counts(pooled).values()) == {0}) is not is_planted


@contextmanager
def noticed(words: str) -> Iterator[list[str]]:
    """Whether a run says this when it fails."""
    found: list[str] = []
    try:
        yield found
    except BackfillError as error:
        found += [words] * (words in str(error))


@both_ways
def test_an_error_that_nobody_knows_is_not_repeated(pooled: sa.Engine, is_planted: bool) -> None:
    """It would be, for ever."""
    seed(pooled, ROWS)
    calls = []

    class Enough(Exception):
        """The checker's patience is at its end."""

    @backfill.step()
    def stumble(connection: Connection) -> None:
        """Call what is not there."""
        calls.append(1)
        if len(calls) > 2:
            raise Enough
        connection.execute(sa.text("SELECT nonsense()"))

    with planted("repeats-what-nobody-knows", is_planted):
        with pytest.raises(BackfillError) as caught:
            run_on(pooled, stumble)
        assert isinstance(caught.value, DatabaseFailed) is not is_planted
    assert len(calls) == (3 if is_planted else 1)


@both_ways
def test_a_conflict_that_is_swallowed(mariadb_url: sa.URL, is_planted: bool) -> None:
    """MariaDB rolls back the statement alone, and would commit the rest: the rows would be lost.

    PostgreSQL lets nothing more be done in such a transaction, and SQLite has one writer.
    """
    engine = open_engine(mariadb_url)
    seed(engine, ROWS)
    with planted("swallows-conflicts", is_planted), engine.connect() as rival:
        rival.execute(people.update().where(people.c.id == 1).values(label="held"))
        with opened(engine, settings(lock_seconds=1.0, attempts=1)):
            is_done = is_exact(engine, count_in_sql, settings(lock_seconds=1.0, attempts=1))
        rival.rollback()
    assert not is_done
    with opened(engine) as database:
        run = Ledger(database).latest("count_in_sql")
    assert run is not None
    assert (run.status is Status.COMPLETED) is is_planted
    if not is_planted:
        assert is_exact(engine, count_in_sql)


@both_ways
def test_an_undo_of_what_is_not_ours(pooled: sa.Engine, is_planted: bool) -> None:
    """Somebody has changed a row since."""
    seed(pooled, ROWS)
    run_on(pooled, count_in_sql, settings(keep_undo=True))
    with pooled.begin() as connection:
        connection.execute(people.update().where(people.c.id == 2).values(n=777))
    with planted("undoes-what-is-not-ours", is_planted), opened(pooled) as database:
        undo(database, "count_in_sql", settings())
    with pooled.connect() as connection:
        kept = connection.scalar(sa.select(people.c.n).where(people.c.id == 2))
    assert (kept == 777) is not is_planted


@both_ways
def test_a_lease_by_a_clock_of_ones_own(pooled: sa.Engine, is_planted: bool) -> None:
    """A worker whose clock is a day behind would count as dead."""
    seed(pooled, ROWS)
    with opened(pooled) as database:
        ledger, slices = Ledger(database), Slices(database)
        ledger.ensure()
        with database.transaction():
            run_id = ledger.register("fill", status=Status.RUNNING, fingerprint="", definition="", rows_estimated=1)
            slices.add(run_id, "people", 0, (9,))
        (seen,) = slices.of_run(run_id)
        with planted("a-clock-of-ones-own", is_planted), database.transaction():
            assert Slices(database).claim(seen, "web-1 1 a", 30, from_owner=None)
        (seen,) = slices.of_run(run_id)
        with database.transaction():
            assert slices.claim(seen, "web-2 2 b", 30, from_owner=None) is is_planted
