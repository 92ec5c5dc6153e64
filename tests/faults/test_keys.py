"""Whatever the key, every row is visited exactly once, whatever the size of a batch."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy.dialects import mysql

import backfill
from backfill import Rows
from backfill.errors import Refused
from backfill.key import decode_key, encode_key
from tests.faults.interleaving import FULL
from tests.faults.workloads import Counted, Counter, forget_runs, open_engine, run_on, settings

LEAST, MOST = -(2**63), 2**63 - 1
SIZES = (1, 2, 3, 1_000)
TEXTS = [
    "",
    "a",
    "B",
    "c",
    "z",
    "Öl",
    "ñandú",
    "10",
    "9",
    "a b",
    "a%",
    "a_",
    "O'Neil",
    'x"y',
    "\\",
    ":x",
    "日本",
    "🦊",
    "x" * 39,
]
UUIDS = [uuid.UUID(int=number * 7**40 % 2**128, version=4) for number in range(1, 12)]
MOMENTS = [datetime(2024, 3, 31, hour, 30, 0, fraction, UTC) for hour in range(5) for fraction in (0, 1, 999_999)]
BYTES = [b"", b"\0", b"\0\0", b"\xff", b"a", b"A", "ä".encode(), bytes(range(20))]


@backfill.transform("keyed")
def visit_in_sql(keyed: Rows) -> dict[str, Any]:
    """Count every row, in the database."""
    return {"n": keyed.c.n + 1}


@backfill.transform("keyed")
def visit_by_row(row: Counter) -> Counted:
    """Count every row, in Python."""
    return Counted(n=row.n + 1)


@dataclass(frozen=True)
class Case:
    """A key, and its values; one function a database, since types differ."""

    columns: Callable[[], list[sa.Column[Any]]]
    keys: Iterable[tuple[Any, ...]]
    constraint: Callable[..., sa.schema.ColumnCollectionConstraint] = sa.PrimaryKeyConstraint


def one(kind: Any, values: Iterable[Any]) -> Case:
    """A key of one column."""
    return Case(lambda: [sa.Column("k", kind, nullable=False, autoincrement=False)], [(value,) for value in values])


def text(collation: str | None) -> Case:
    """A text key under a collation."""
    return one(sa.String(40, collation=collation), TEXTS)


def several(*kinds: Any, keys: Iterable[tuple[Any, ...]]) -> Case:
    """A key of several columns."""
    return Case(
        lambda: [sa.Column(f"k{n}", kind, nullable=False, autoincrement=False) for n, kind in enumerate(kinds)], keys
    )


EVERYWHERE = {
    "integers": one(sa.BigInteger, [0, -1, 1, 2, LEAST, LEAST + 1, MOST, MOST - 1, 10**12, -(10**12), 2**53 + 1]),
    "text": text(None),
    "uuid": one(sa.Uuid, UUIDS),
    "two columns": several(sa.Integer, sa.String(9), keys=[(a, b) for a in (-1, 0, 7) for b in ("", "a", "B", "z")]),
    "three columns": several(
        sa.Integer, sa.Integer, sa.Integer, keys=[(a, b, c) for a in (0, 1) for b in (-5, 0, 5) for c in (0, 1, 9)]
    ),
    "a unique constraint": Case(
        lambda: [sa.Column("k", sa.Integer, nullable=False)], [(n * n,) for n in range(12)], sa.UniqueConstraint
    ),
    "dates": one(sa.Date, [date(1, 1, 1), date(1969, 12, 31), date(2024, 2, 29), date(9999, 12, 31)]),
    "bytes": one(sa.LargeBinary(40).with_variant(mysql.VARBINARY(40), "mysql"), BYTES),
}
SOMEWHERE = {
    "sqlite": {
        "NOCASE": text("NOCASE"),
        "RTRIM": text("RTRIM"),
        "moments": one(sa.DateTime, [moment.replace(tzinfo=None) for moment in MOMENTS]),
        "times": one(sa.Time, [time(0), time(12, 30, 15, 7), time(23, 59, 59)]),
    },
    "postgresql": {
        "ICU": text("en-x-icu"),
        "C": text("C"),
        "moments with a zone": one(sa.DateTime(timezone=True), MOMENTS),
        "times": one(sa.Time, [time(0), time(12, 30, 15, 7), time(23, 59, 59)]),
        "intervals": one(sa.Interval, [timedelta(0), timedelta(days=3), timedelta(microseconds=1)]),
        "enum": one(sa.Enum("low", "high", "a", name="level"), ["low", "high", "a"]),
        "CHAR": one(sa.CHAR(9), ["a", "b c", "Z", ""]),
    },
    "mysql": {
        "utf8mb4_bin": text("utf8mb4_bin"),
        "utf8mb4_unicode_ci": text("utf8mb4_unicode_ci"),
        "utf8mb4_general_ci": text("utf8mb4_general_ci"),
        "moments": one(mysql.TIMESTAMP(fsp=6), [moment.replace(tzinfo=None) for moment in MOMENTS]),
        "decimals": one(
            sa.Numeric(30, 10), [Decimal(x) for x in ("0", "-1.10", "0.0000000001", "12345678901234567890.5")]
        ),
        "unsigned": one(mysql.BIGINT(unsigned=True), [0, 1, MOST, 2**64 - 1]),
        "CHAR": one(mysql.CHAR(9), ["", "a", "b c", "Z"]),
    },
}


DECIMALS = one(sa.Numeric, [Decimal(x) for x in ("0", "-1.10", "1e-20", "123456789012345678901.5", "NaN")])


def keyed(case: Case) -> sa.Table:
    """The case's table."""
    columns = case.columns()
    constraint = case.constraint(*(column.name for column in columns))
    return sa.Table("keyed", sa.MetaData(), *columns, sa.Column("n", sa.Integer, nullable=False), constraint)


def fill(engine: sa.Engine, table: sa.Table, keys: Iterable[tuple[Any, ...]]) -> None:
    """Bring the table to these rows, and empty the ledger."""
    names = [column.name for column in table.columns if column.name != "n"]
    rows = [{**dict(zip(names, key, strict=True)), "n": 0} for key in keys]
    with engine.begin() as connection:
        forget_runs(connection)
        connection.execute(table.delete())
        if rows:
            connection.execute(table.insert(), rows)


def visits(engine: sa.Engine, table: sa.Table) -> list[int]:
    """How often each row was visited."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(table.c.n)).scalars())


def visit(engine: sa.Engine, transform: Any, size: int) -> int:
    """Run the transform with batches of one size; gives the rows written."""
    return run_on(engine, transform, settings(batch_size=size, max_batch_size=size)).rows_written


def check_every_visit(engine: sa.Engine, case: Case) -> None:
    """Visit every row exactly once, with batches of 1, 2, 3 and 1,000 rows, in either form."""
    table = keyed(case)
    table.create(engine)
    for transform, sizes in ((visit_by_row, SIZES), (visit_in_sql, SIZES if FULL else (3,))):
        for size in sizes:
            fill(engine, table, case.keys)
            assert visit(engine, transform, size) == len(list(case.keys)), (size, transform)
            assert set(visits(engine, table)) == {1}, (size, transform)
    table.drop(engine)


@pytest.mark.parametrize("name", EVERYWHERE)
def test_every_row_is_visited_exactly_once(pooled: sa.Engine, name: str) -> None:
    """By keys that every database has."""
    check_every_visit(pooled, EVERYWHERE[name])


def test_every_row_is_visited_by_types_and_collations_of_ones_own(pooled: sa.Engine) -> None:
    """By keys that only this database has."""
    for name, case in SOMEWHERE[pooled.dialect.name].items():
        try:
            check_every_visit(pooled, case)
        except Exception as error:
            error.add_note(f"with the key {name!r}")
            raise


def test_every_row_is_visited_by_unbounded_decimals(postgresql_url: sa.URL) -> None:
    """By decimals of any scale, and the one that is no number."""
    check_every_visit(open_engine(postgresql_url), DECIMALS)


def test_random_integers_of_any_size(pooled: sa.Engine) -> None:
    """By ids that span more than an integer holds."""
    check_every_visit(pooled, one(sa.BigInteger, [-(2**63), -5, 0, 7, 2**63 - 1]))


def test_an_empty_table_is_completed(pooled: sa.Engine) -> None:
    """Without rows there is nothing to visit, and nothing to fail on."""
    table = keyed(EVERYWHERE["integers"])
    table.create(pooled)
    assert visit(pooled, visit_by_row, 3) == 0


def test_a_key_that_comes_back_inexact_is_refused(sqlite_url: sa.URL) -> None:
    """SQLite keeps a decimal as a float, which is not the same number when it comes back."""
    engine = open_engine(sqlite_url)
    table = keyed(one(sa.Numeric(20, 6), []))
    table.create(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO keyed VALUES (0.1, 0)")
    with pytest.raises(Refused):
        visit(engine, visit_by_row, 3)
    assert visits(engine, table) == [0]


INTEGERS = st.sets(st.integers(LEAST, MOST) | st.integers(-9, 9), min_size=1, max_size=25)
PLAIN_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
quick = examples(
    max_examples=200 if FULL else 8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_any_integers(pooled: sa.Engine) -> None:
    """Integers with gaps of any width, in batches of any size."""
    table = keyed(one(sa.BigInteger, []))
    table.create(pooled)

    @quick
    @given(INTEGERS, st.integers(1, 9))
    def check(keys: set[int], size: int) -> None:
        fill(pooled, table, [(key,) for key in keys])
        assert visit(pooled, visit_by_row, size) == len(keys)
        assert set(visits(pooled, table)) == {1}

    check()


def test_any_text_and_number(pooled: sa.Engine) -> None:
    """Pairs of any text and any integer, under a collation that tells all texts apart."""
    collation = {"sqlite": "BINARY", "postgresql": "C", "mysql": "utf8mb4_nopad_bin"}[pooled.dialect.name]
    table = keyed(several(sa.String(40, collation=collation), sa.BigInteger, keys=[]))
    table.create(pooled)

    @quick
    @given(st.sets(st.tuples(PLAIN_TEXT, st.integers(LEAST, MOST)), min_size=1, max_size=20), st.integers(1, 9))
    def check(keys: set[tuple[str, int]], size: int) -> None:
        fill(pooled, table, keys)
        assert visit(pooled, visit_by_row, size) == len(keys)
        assert set(visits(pooled, table)) == {1}

    check()


PARTS = (
    st.none()
    | st.integers()
    | st.booleans()
    | st.text(st.characters())
    | st.binary()
    | st.uuids()
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.datetimes()
    | st.datetimes(timezones=st.just(UTC))
    | st.decimals(allow_nan=False)
)


@given(st.tuples(PARTS) | st.tuples(PARTS, PARTS) | st.tuples(PARTS, PARTS, PARTS))
def test_a_key_comes_back_from_the_ledger_as_it_was(key: tuple[Any, ...]) -> None:
    """Equal, and of the same types; the ledger's text is ASCII, so no column's character set can hurt it."""
    kept = encode_key(key)
    assert kept.isascii()
    back = decode_key(kept)
    assert back == key
    assert [type(part) for part in back] == [type(part) for part in key]


@pytest.mark.parametrize("value", [1.5, [1], object()])
def test_what_cannot_be_kept_exactly_is_refused(value: object) -> None:
    """A float would come back, but the row that it names might not."""
    with pytest.raises(Refused):
        encode_key((value,))
