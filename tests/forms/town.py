"""A town: a table of people, and one of things with values of every type; what the tests of the row form share."""

import enum
import uuid
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, JsonValue
from sqlalchemy.dialects import mysql


class State(enum.Enum):
    """An enum whose names are not its values."""

    OPEN = "open"
    PAID = "paid"


class Level(enum.IntEnum):
    """An enum that is a number."""

    LOW = 1


class Kind(enum.StrEnum):
    """An enum that is text."""

    A = "a"


TYPES: dict[str, tuple[Any, Any, list[Any]]] = {
    "text": (sa.String(40), str, ["", " a ", "null", "Ünï\u202ecode \U0001f600", 'it\'s \\ "x" %s :x {y}\n', "0"]),
    "long_text": (sa.Text, str, ["x" * 5_000]),
    "number": (sa.Integer, int, [0, -1, 2**31 - 1, -(2**31)]),
    "large": (sa.BigInteger, int, [2**63 - 1, -(2**63), 2**53 + 1]),
    "decimal": (sa.Numeric(12, 4), Decimal, [Decimal("0.1000"), Decimal("-12345678.9012"), Decimal("0.0000")]),
    "real": (sa.Double, float, [0.1, -1e300, 1e-300, 0.1 + 0.2]),
    "truth": (sa.Boolean, bool, [True, False]),
    "day": (sa.Date, date, [date(1, 1, 1), date(9999, 12, 31)]),
    "moment": (
        sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
        datetime,
        [datetime(2025, 1, 2, 3, 4, 5, 6), datetime(1970, 1, 1)],  # noqa: DTZ001
    ),
    "time": (sa.Time().with_variant(mysql.TIME(fsp=6), "mysql", "mariadb"), time, [time(23, 59, 59, 1)]),
    "data": (sa.LargeBinary, bytes, [b"\x00\xff'\\", b"null"]),
    "token": (sa.Uuid, uuid.UUID, [uuid.UUID(int=1), uuid.UUID("ffffffff-ffff-4fff-8fff-ffffffffffff")]),
    "token_text": (sa.String(36), uuid.UUID, [uuid.UUID(int=2**127)]),
    "state": (sa.Enum("open", "paid", name="state"), State, list(State)),
    "kind": (sa.String(5), Kind, [Kind.A]),
    "level": (sa.Integer, Level, [Level.LOW]),
    "document": (
        sa.JSON(none_as_null=True),
        JsonValue,
        [{}, [], "null", "", 0, False, {"a": [None, {"b": 1.5}]}, [[[]]], "ü\u2028"],
    ),
}
MOST = max(len(values) for *_, values in TYPES.values())

metadata = sa.MetaData()
things = sa.Table(
    "things",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(prefix + name, kind) for name, (kind, *_) in TYPES.items() for prefix in ("", "copy_")),
)
people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("full_name", sa.String(100)),
    sa.Column("first_name", sa.String(100)),
    sa.Column("email", sa.String(100)),
    sa.Column("phone", sa.String(100)),
    sa.Column("class", sa.String(100)),
    sa.Column("skills", sa.JSON(none_as_null=True)),
)
ROWS: dict[sa.Table, list[dict[str, object]]] = {
    things: [
        {"id": n, **{name: values[n % len(values)] for name, (*_, values) in TYPES.items() if name != "state"}}
        | {"state": ["open", "paid"][n % 2], "kind": "a", "level": 1, "token_text": str(uuid.UUID(int=2**127))}
        for n in range(1, MOST + 1)
    ]
    + [{"id": MOST + 1}],
    people: [
        {"id": 1, "full_name": "Ada Lovelace", "email": "ada@x.org", "class": "a"},
        {"id": 2, "full_name": "Grace Hopper", "phone": "123"},
        {"id": 3, "full_name": "Alan", "skills": [{"name": "maths"}]},
        {"id": 4, "full_name": None},
    ],
}


class FullName(BaseModel):
    """Columns read."""

    full_name: str | None


class FirstName(BaseModel):
    """Columns written."""

    first_name: str


class Email(BaseModel):
    """Other columns written."""

    email: str | None


def values(engine: sa.Engine, *names: str, of: sa.Table = people) -> list[Any]:
    """Give the columns' values by key, as SQLAlchemy reads them; one column comes without its tuple."""
    with engine.connect() as connection:
        found = connection.execute(sa.select(*(of.c[name] for name in names)).order_by(of.c.id)).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in found]
