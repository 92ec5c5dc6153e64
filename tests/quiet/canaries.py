"""Canaries: values that occur nowhere else, in every column of every row and in the URL, and how one is found."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

MARK = "kanarie"
PASSWORD = f"{MARK}Password"
IN_QUERY = f"{MARK}Query"

YEAR = 1931
NUMBER = 97_310_000
"""No fraction of a second looks like it: no minute has 97 seconds."""

ROWS = 6
POISON = 4
"""The row that is at fault where one is."""

PEOPLE = sa.Table(
    "people",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("email", sa.String(200), nullable=False),
    sa.Column("hostile", sa.String(300), nullable=False),
    sa.Column("score", sa.Integer, nullable=False),
    sa.Column("amount", sa.Numeric(14, 2), nullable=False),
    sa.Column("born", sa.Date, nullable=False),
    sa.Column("seen", sa.DateTime, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("photo", sa.LargeBinary, nullable=False),
    sa.Column("nickname", sa.String(60)),
    sa.Column("small", sa.SmallInteger),
    sa.Column("birthday", sa.Date),
)
"""Every column but the key and those that are filled holds canaries; `filled` ones are empty at first."""

NEEDLES = re.compile(
    "|".join([MARK, MARK.encode().hex(), r"97[.,_ ]?310[.,_ ]?00\d", rf"{YEAR}-0?7-1\d", rf"{YEAR}, 7, 1\d"]),
    re.IGNORECASE,
)
"""A canary in any of the ways in which it might be written: text, hex, number with or without separators, date."""


def rows() -> list[dict[str, Any]]:
    """The rows, each value a canary of its own."""
    return [_row(n) for n in range(1, ROWS + 1)]


def _row(n: int) -> dict[str, Any]:
    return {
        "id": n,
        "name": f"{MARK}Name{n}",
        "email": f"{MARK}Mail{n}@example.org",
        "hostile": hostile(f"{MARK}{n}"),
        "score": NUMBER + n,
        "amount": Decimal(NUMBER + n) + Decimal("0.25"),
        "born": date(YEAR, 7, 10 + n),
        "seen": datetime(YEAR, 7, 10 + n, 1, 2, 3),  # noqa: DTZ001  # as a column without a zone holds it
        "document": {f"{MARK}Key{n}": f"{MARK}Value{n}", "kind": f"{MARK}Kind{n}"},
        "photo": f"{MARK}Photo{n}".encode(),
    }


def hostile(core: str) -> str:
    """Text that would command a terminal, forge a line of a log, turn a line around, or be taken for a format."""
    return f"\x1b]0;{core}\x07\x1b[2J\r\nERROR {core}\u202e{core}\u2028%s %(x)s {{0}} column {core}"


def hits(text: str) -> list[str]:
    """Canaries in a text, and characters that command a terminal."""
    commands = [f"U+{ord(c):04X}" for c in text if not c.isprintable() and c not in "\n\t"]
    return [*NEEDLES.findall(text), *commands]
