"""Documents: however rows travel to MariaDB, a value of each type arrives as it does one row at a time."""

import enum
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, Field, JsonValue, create_model

import backfill
from backfill import schema
from backfill.declaration.decorator import Transform
from backfill.dialects import mysql as dialect
from backfill.errors import BackfillError
from tests.faults.statements import recorded
from tests.refusal import execute, fill, rows_of

NAME = "A \"value\", 50% 'off' :x"
"""Of the column; all that could go wrong with a name."""


class Level(enum.Enum):
    """Written by its value."""

    HIGH = "high"


class Key(BaseModel):
    """Read; what it is does not matter."""

    other: str


ONE_UUID = UUID("00112233-4455-6677-8899-aabbccddeeff")
NOON = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))
TEXT = "tab\t, line\n, back\\slash, \\N, \"quoted\", 'single', ü, 😀, {braces}, 100%, \u2028, \0, [null], %s, :x "

TYPES: dict[str, tuple[str, Any, Any, bool]] = {
    "text": ("text", str, TEXT, True),
    "long text": ("longtext", str, "ü" * 100_000, True),
    "empty text": ("text", str, "", True),
    "null by name": ("text", str, "null", True),
    "number by name": ("text", str, "1e5", True),
    "null": ("text", str | None, None, True),
    "varchar": ("varchar(5)", str, "five5", True),
    "varchar and spaces": ("varchar(2)", str, "a    ", True),
    "other characters": ("varchar(9) CHARACTER SET latin1", str, "é", True),
    "char": ("char(3)", str, "ab ", True),
    "ascii": ("varchar(9) CHARACTER SET ascii", str, "a", True),
    "enum": ("enum('low', 'high')", Level, Level.HIGH, True),
    "enum by text": ("enum('low', 'high', '1')", str, "1", True),
    "enum, case aside": ("enum('low', 'high')", str, "HIGH", True),
    "set": ("set('a', 'b')", str, "a,b", False),
    "tinyint": ("tinyint", int, -128, True),
    "bigint": ("bigint", int, 2**63 - 1, True),
    "least bigint": ("bigint", int, -(2**63), True),
    "bigint unsigned": ("bigint unsigned", int, 2**64 - 1, True),
    "true": ("boolean", bool, True, True),
    "false": ("boolean", bool | None, False, True),
    "no truth": ("boolean", bool | None, None, True),
    "truth as text": ("varchar(5)", Any, True, False),
    "number as text": ("varchar(25)", Any, 1, False),
    "text as number": ("int", Any, "12", False),
    "float as number": ("int", Any, 2.5, False),
    "float as decimal": ("decimal(5, 2)", float, 2.675, False),
    "decimal": ("decimal(38, 10)", Decimal, Decimal("-1234567890123456789012345678.0123456789"), True),
    "decimal to be rounded": ("decimal(5, 2)", Decimal, Decimal("1.005"), True),
    "decimal with an exponent": ("decimal(38, 2)", Decimal, Decimal("1E+20"), True),
    "decimal from int": ("decimal(20, 0)", int, 10**19 + 1, True),
    "double": ("double", float, 0.1 + 0.2, True),
    "least double": ("double", float, 5e-324, True),
    "greatest double": ("double", float, -1.7976931348623157e308, True),
    "negative zero": ("double", float, -0.0, True),
    "float": ("float", float, 16777217.0, True),
    "float of a fraction": ("float", float, 0.1, True),
    "double from int": ("double", int, 2**53 + 1, True),
    "date": ("date", date, date(1, 1, 1), True),
    "last date": ("date", date, date(9999, 12, 31), True),
    "datetime": ("datetime(6)", datetime, NOON, True),
    "early datetime": ("datetime(6)", datetime, datetime(5, 1, 1, 0, 0, 0, 1), True),  # noqa: DTZ001
    "datetime without fractions": ("datetime", datetime, NOON, True),
    "datetime as date": ("date", Any, NOON, False),
    "date as datetime": ("datetime", date, date(2024, 2, 29), False),
    "timestamp": ("timestamp(6) NULL", datetime, NOON, True),
    "time": ("time(6)", time, time(23, 59, 59, 999999), True),
    "span": ("time(6)", Any, timedelta(hours=-30, microseconds=1), False),
    "year": ("year", int, 2024, False),
    "uuid as text": ("char(36)", UUID, ONE_UUID, True),
    "uuid as short text": ("char(32)", UUID, ONE_UUID, True),
    "uuid": ("uuid", UUID, ONE_UUID, False),
    "bits": ("bit(3)", int, 5, False),
    "bytes": ("blob", bytes, b"\x00\xff'\\", False),
    "few bytes": ("binary(4)", bytes, b"\x00\xff'\\", False),
    "bytes as text": ("text", Any, b"abc", False),
    "json": ("json", list[JsonValue], [None, 1, 1.5, 'x\n"y\\', "😀", "\0"], True),
    "json of an object": ("json", dict[str, JsonValue], {"ü": {"b": [1.5, None]}}, True),
    "json text": ("json", JsonValue, "null", True),
    "json number": ("json", JsonValue, 2**70, True),
    "json false": ("json", JsonValue, False, True),
    "no json": ("json", JsonValue, None, True),
}


@pytest.fixture(scope="module")
def server_engine(mariadb_server: Any) -> Iterator[sa.Engine]:
    """Give a database."""
    url = mariadb_server.create_database()
    engine = sa.create_engine(url)
    yield engine
    engine.dispose()
    mariadb_server.drop_database(url)


class Ways:
    """Writes values, and notes in which way they went."""

    def __init__(self, engine: sa.Engine, patch: pytest.MonkeyPatch) -> None:
        self.engine = engine
        self._patch = patch
        self.documents = 0

    def exact(self) -> None:
        """From now on one row at a time."""
        self._patch.setattr(dialect, "takes_documents", lambda _: False)

    def written(self, kind: str, hint: Any, value: Any, name: str = NAME) -> list[tuple[Any, ...]]:
        """Write the value to three rows of a fresh table; gives what the server makes of it."""
        spelt = f"`{name.replace('%', '%%')}`"
        self._make_table(f"{spelt} {kind}")
        model = create_model("One", value=(hint, Field(alias=name)))

        def write(row: Key) -> Any:
            """The same for each row."""
            return model(**{name: value})

        write.__annotations__["return"] = model
        declare: Any = backfill.transform("Parcels")
        with recorded(self.engine) as statements:
            fill(self.engine, declare(write), rows=3)
        self.documents = sum("JSON_TABLE" in statement for statement in statements)
        number = f"{spelt} * 1e0" if "double" in kind or "float" in kind else "0"
        return rows_of(self.engine, f"SELECT {spelt}, HEX({spelt}), {number} FROM `Parcels` ORDER BY other")

    def _make_table(self, column: str) -> None:
        self.begin_anew(
            f"CREATE TABLE `Parcels` (`100%% of :it` int PRIMARY KEY, other text NOT NULL, {column})",
            "INSERT INTO `Parcels` (`100%% of :it`, other) VALUES (1, 'x'), (2, 'y'), (3, 'z')",
        )

    def doubled(self, names: list[str], keys: list[tuple[Any, ...]]) -> tuple[int, bool]:
        """Double a number in rows of these keys, 0 in the first; gives how many were written, and if by document."""
        parcels = sa.table("Parcels", *map(sa.column, names), sa.column("number"))
        with self.engine.begin() as connection:
            rows = [dict(zip([*names, "number"], [*key, n], strict=True)) for n, key in enumerate(keys)]
            connection.execute(sa.insert(parcels), rows)
        with recorded(self.engine) as statements:
            run = fill(self.engine, declared("Parcels"), rows=len(keys))
        with self.engine.connect() as connection:
            found = {tuple(row[:-1]): row[-1] for row in connection.execute(sa.select(parcels))}
        assert found == {key: 2 * n for n, key in enumerate(keys)}
        return run.rows_written, any("JSON_TABLE" in statement for statement in statements)

    def begin_anew(self, *statements: str) -> None:
        """Make another table, without a ledger."""
        with self.engine.begin() as connection:
            schema.drop(connection)
        execute(self.engine, "DROP TABLE IF EXISTS `Parcels`", *statements)


@pytest.fixture
def ways(server_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Give a fresh look at the ways."""
    return Ways(server_engine, monkeypatch)


@pytest.mark.parametrize(("kind", "hint", "value", "is_document"), TYPES.values(), ids=TYPES)
def test_a_type_arrives_the_same_in_both_ways(ways: Ways, kind: str, hint: Any, value: Any, is_document: bool) -> None:
    """In a document, and one row at a time, which is the exact path."""
    sent = ways.written(kind, hint, value)
    assert ways.documents == is_document
    ways.exact()
    assert ways.written(kind, hint, value) == sent
    assert ways.documents == 0
    assert len(sent) == 3


REFUSED: dict[str, tuple[str, Any, Any, str]] = {
    "too long": ("varchar(5)", str, "sixsix", "1406, column 'value'"),
    "too long for text": ("tinytext", str, "x" * 256, "1406, column 'value'"),
    "a character that it lacks": ("varchar(5) CHARACTER SET latin1", str, "😀", "1366, column `value`"),
    "out of range": ("tinyint", int, 128, "1264, column 'value'"),
    "far out of range": ("int", int, 2**40, "1264, column 'value'"),
    "beyond all": ("bigint", int, 2**63, "1264, column 'value'"),
    "beyond even unsigned": ("bigint unsigned", int, 2**64, "1264, column 'value'"),
    "negative": ("bigint unsigned", int, -1, "1264, column 'value'"),
    "too large": ("decimal(4, 2)", Decimal, Decimal("123.4"), "1264, column 'value'"),
    "too large a float": ("float", float, 1e300, "1264, column 'value'"),
    "infinite": ("double", float, float("inf"), "ProgrammingError"),
    "no number": ("decimal(4, 2)", Any, Decimal("NaN"), "ProgrammingError"),
    "half a character": ("text", Any, "\ud800", "UnicodeEncodeError"),
    "none of the enum": ("enum('low', 'high')", str, "middling", "1265, column 'value'"),
    "empty, which is none of the enum": ("enum('low', 'high')", str, "", "1265, column 'value'"),
    "before all timestamps": ("timestamp NULL", datetime, datetime(1900, 1, 1), "1292, column `value`"),  # noqa: DTZ001
    "against a check": ("int CHECK (value > 5)", int, 5, "4025, CONSTRAINT `Parcels.value`"),
    "the second of its kind": ("int UNIQUE", int, 5, "1062, key 'value'"),
}


@pytest.mark.parametrize(("kind", "hint", "value", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_in_both_ways(ways: Ways, kind: str, hint: Any, value: Any, reason: str) -> None:
    """Nothing is cut, clamped or made NULL by the document, and the row is named."""
    messages = []
    for _ in range(2):
        with pytest.raises(BackfillError) as failure:
            ways.written(kind, hint, value, "value")
        name = re.sub(r"`\w+`\.`Parcels`\.(?=`value`\))", "", str(failure.value))  # the document's are shorter
        messages.append(name)
        ways.exact()
    assert messages[0] == messages[1]
    assert f"({reason})" in messages[0]


KEYS: dict[str, tuple[str, list[Any], bool]] = {
    "int": ("int", [-5, 0, 7], True),
    "bigint": ("bigint", [-(2**63), 2**53, 2**53 + 1, 2**63 - 1], True),
    "unsigned": ("bigint unsigned", [1, 2**63, 2**64 - 1], True),
    "text": ("varchar(20)", ["", "01", "1", "1e0", "a", "ä\\'\"", "😀"], True),
    "text by bytes": ("varchar(20) COLLATE utf8mb4_bin", ["1", "A", "a", "ä"], True),
    "text that compares otherwise": ("varchar(20) COLLATE utf8mb4_unicode_ci", ["a", "ß", "t"], True),
    "text that tells spaces": ("varchar(20) COLLATE utf8mb4_nopad_bin", ["a", "a ", "a  "], True),
    "text of other characters": ("varchar(20) CHARACTER SET latin1 COLLATE latin1_german2_ci", ["a", "ß", "t"], True),
    "char": ("char(20) CHARACTER SET ascii", ["01", "1", "x"], True),
    "date": ("date", [date(2024, 2, 28), date(2024, 2, 29)], False),
    "decimal": ("decimal(20, 1)", [Decimal("0.5"), Decimal("9007199254740993.0")], False),
    "bytes": ("varbinary(20)", [b"", b"\xff", b"a"], False),
}


class Number(BaseModel):
    """Read and written."""

    number: int


def declared(table: str) -> Transform[..., Any]:
    """A transform that tells the rows apart."""

    @backfill.transform(table)
    def double(row: Number) -> Number:
        """Twice as much."""
        return Number(number=row.number * 2)

    return double


@pytest.mark.parametrize(("kind", "keys", "is_document"), KEYS.values(), ids=KEYS)
def test_each_row_is_found_by_its_key(ways: Ways, kind: str, keys: list[Any], is_document: bool) -> None:
    """Whatever the key's type and collation; half of the rows keep their values, and count as found."""
    ways.begin_anew(f"CREATE TABLE `Parcels` (`key` {kind} PRIMARY KEY, number int NOT NULL)")
    assert ways.doubled(["key"], [(key,) for key in keys]) == (len(keys), is_document)


def test_each_row_is_found_by_a_key_of_several_columns(ways: Ways) -> None:
    """By all of them."""
    ways.begin_anew(
        "CREATE TABLE `Parcels` (a int, b varchar(5), c bigint unsigned, number int NOT NULL, PRIMARY KEY (a, b, c))"
    )
    keys = [(a, b, c) for a in (1, 2) for b in ("1", "01") for c in (1, 2**64 - 1)]
    assert ways.doubled(["a", "b", "c"], keys) == (8, True)


def test_a_document_too_long_for_the_server_is_sent_in_parts(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a row that is too long by itself without any document."""
    ways.begin_anew("CREATE TABLE `Parcels` (`key` int PRIMARY KEY, number int NOT NULL)")
    monkeypatch.setattr(dialect, "most_bytes", lambda _: len("[[1,2],[2,4]]"))
    keys = [(1,), (2,), (3,), (4,), (1_000_000_000,)]
    with recorded(ways.engine) as statements:
        assert ways.doubled(["key"], keys) == (5, True)
    assert sum("JSON_TABLE" in statement for statement in statements) == 3
    assert sum(statement.startswith("UPDATE `Parcels`") for statement in statements) == 1


@pytest.mark.parametrize(("share", "documents"), [(5, 3), (3, 0)], ids=["one by one", "without"])
def test_a_document_is_never_longer_than_the_server_takes(ways: Ways, share: int, documents: int) -> None:
    """Rows of quotation marks, each of which is two characters in JSON and four in the statement."""
    with ways.engine.connect() as connection:
        (most,) = connection.exec_driver_sql("SELECT @@max_allowed_packet").one()
    text = '"' * (most // share)
    assert [row[0] for row in ways.written("longtext", str, text)] == [text] * 3
    assert ways.documents == documents


@pytest.mark.parametrize(("characters", "is_document"), [(63, True), (64, False)])
def test_text_that_may_be_too_long_takes_the_exact_path(ways: Ways, characters: int, is_document: bool) -> None:
    """What a join writes goes through a table of the server's own, whose TINYTEXT is longer than the real one."""
    text = "😀" * (characters - 1) + "x"
    assert [row[0] for row in ways.written("tinytext", str, text)] == [text] * 3
    assert ways.documents == is_document


def test_a_translated_schema_takes_the_exact_path(ways: Ways, mariadb_url: sa.URL) -> None:
    """SQLAlchemy puts the name in when the statement is sent: nothing is written to the schema that was named."""
    make = "CREATE TABLE `Parcels` (`key` int PRIMARY KEY, number int NOT NULL)"
    ways.begin_anew(make, "INSERT INTO `Parcels` VALUES (1, 1)")
    tenant = sa.create_engine(mariadb_url)
    execute(tenant, make, "INSERT INTO `Parcels` VALUES (1, 1)")
    named = str(ways.engine.url.database)
    translated = ways.engine.execution_options(schema_translate_map={named: mariadb_url.database})
    fill(translated, declared(f"{named}.Parcels"))
    assert rows_of(tenant, "SELECT number FROM `Parcels`") == [(2,)]
    assert rows_of(ways.engine, "SELECT number FROM `Parcels`") == [(1,)]
    tenant.dispose()
