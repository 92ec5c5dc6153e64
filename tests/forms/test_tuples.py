"""Tuples: the statement that the driver makes row by row stores what SQLAlchemy would, and refuses what it would."""

import enum
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
from backfill.dialects import sqlite as dialect
from backfill.dialects.recordsets.sqlite import update_in_turn
from backfill.errors import BackfillError
from tests.refusal import execute, fill, rows_of

NAME = "A \"value\", 50% 'off' :x ?"
"""Of the column; all that could go wrong with a name."""

NOON = datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=2)))


class Level(enum.Enum):
    """Written by its value."""

    HIGH = "high"


class Key(BaseModel):
    """Read; what it is does not matter."""

    other: str


TYPES: dict[str, tuple[str, Any, Any]] = {
    "text": ("TEXT", str, "tab\t, \"quoted\", 'single', ü, 😀, \0, ?, :x, 100%"),
    "null": ("VARCHAR(5)", str | None, None),
    "enum": ("TEXT", Level, Level.HIGH),
    "uuid as text": ("CHAR(36)", UUID, UUID(int=2**127)),
    "uuid as short text": ("CHAR(32)", UUID, UUID(int=1)),
    "integer": ("BIGINT", int, 2**63 - 1),
    "truth": ("BOOLEAN", bool, True),
    "decimal": ("NUMERIC(12, 4)", Decimal, Decimal("-12345678.9012")),
    "real": ("DOUBLE", float, 0.1 + 0.2),
    "infinite": ("REAL", float, float("inf")),
    "date": ("DATE", date, date(1, 1, 1)),
    "time": ("TIME", time, time(23, 59, 59, 1)),
    "datetime": ("DATETIME", datetime, NOON),
    "bytes": ("BLOB", bytes, b"\x00\xff'\\"),
    "json": ("JSON", JsonValue, {"ü": [None, 1.5, "\0"]}),
    "json text": ("JSON", JsonValue, "null"),
    "no json": ("JSON", JsonValue, None),
    "any": ("", str, "x"),
}

REFUSED: dict[str, tuple[str, Any, Any, str]] = {
    "too large": ("INTEGER", int, 2**63, "OverflowError"),
    "half a character": ("TEXT", Any, "\ud800", "UnicodeEncodeError"),
    "of another type": ("DATETIME", Any, "noon", "TypeError"),
    "of no type of the driver's": ("TEXT", Any, timedelta(1), "ProgrammingError"),
    "against a check": ("INTEGER CHECK (value > 5)", int, 5, "SQLITE_CONSTRAINT_CHECK"),
}


class Ways:
    """Writes values, and notes in which way they went."""

    def __init__(self, engine: sa.Engine, patch: pytest.MonkeyPatch) -> None:
        self.engine = engine
        self.took_tuples = False
        self._patch = patch
        patch.setattr(dialect, update_in_turn.__name__, self._noting)

    def exact(self) -> None:
        """From now on let SQLAlchemy do it."""
        self._patch.setattr(dialect, "update_in_turn", lambda *_: None)

    def written(self, kind: str, hint: Any, value: Any, name: str = NAME) -> list[tuple[Any, ...]]:
        """Write the value to three rows of a fresh table; gives what is stored, as what."""
        spelt = self.engine.dialect.identifier_preparer.quote(name)
        with self.engine.begin() as connection:
            schema.drop(connection)
        execute(
            self.engine,
            "DROP TABLE IF EXISTS parcels",
            f"CREATE TABLE parcels (id INTEGER PRIMARY KEY, other TEXT NOT NULL, {spelt} {kind})",
            "INSERT INTO parcels (id, other) VALUES (1, 'x'), (2, 'y'), (3, 'z')",
        )
        model = create_model("One", value=(hint, Field(alias=name)))

        def write(row: Key) -> Any:
            """The same for each row."""
            return model(**{name: value})

        write.__annotations__["return"] = model
        declare: Any = backfill.transform("parcels")
        assert fill(self.engine, declare(write), rows=3).rows_written == 3
        return rows_of(self.engine, f"SELECT {spelt}, typeof({spelt}), hex({spelt}) FROM parcels ORDER BY id")

    def _noting(self, *arguments: Any) -> int | None:
        found = update_in_turn(*arguments)
        self.took_tuples = found is not None
        return found


@pytest.fixture
def ways(sqlite_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ways]:
    """Give a fresh look at the ways."""
    engine = sa.create_engine(sqlite_url)
    yield Ways(engine, monkeypatch)
    engine.dispose()


@pytest.mark.parametrize(("kind", "hint", "value"), TYPES.values(), ids=TYPES)
def test_a_type_arrives_the_same_in_both_ways(ways: Ways, kind: str, hint: Any, value: Any) -> None:
    """As a tuple, and by SQLAlchemy, which is the exact path."""
    sent = ways.written(kind, hint, value)
    assert ways.took_tuples
    ways.exact()
    assert ways.written(kind, hint, value) == sent
    assert len(sent) == 3


@pytest.mark.parametrize(("kind", "hint", "value", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_in_both_ways(ways: Ways, kind: str, hint: Any, value: Any, reason: str) -> None:
    """The row is named."""
    messages = []
    for _ in range(2):
        with pytest.raises(BackfillError) as failure:
            ways.written(kind, hint, value, "value")
        messages.append(str(failure.value))
        ways.exact()
    assert messages[0] == messages[1]
    assert f"({reason}" in messages[0]


def test_parameters_by_name_are_left_to_sqlalchemy(sqlite_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """They have no places that a tuple could fill."""
    engine = sa.create_engine(sqlite_url, paramstyle="named")
    ways = Ways(engine, monkeypatch)
    assert ways.written("DATE", date, date(2024, 2, 29)) == [("2024-02-29", "text", "323032342D30322D3239")] * 3
    assert not ways.took_tuples
    engine.dispose()
