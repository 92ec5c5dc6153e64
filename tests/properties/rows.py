"""Rows: random tables of one shape under random keys, and how they are made on each database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st

from backfill import schema

BINARY = sa.String(12).with_variant(sa.String(12, collation="utf8mb4_bin"), "mysql", "mariadb")
"""MariaDB's usual collation holds different texts for equal, so such a key is refused."""

LETTERS = "aAbZzß é%_'\\-09日🦊"
Key = tuple[Any, ...]


@dataclass(frozen=True)
class KeyKind:
    """A kind of key: its columns' types, and its values."""

    types: tuple[Any, ...]
    keys: st.SearchStrategy[Key]

    @property
    def names(self) -> list[str]:
        """Its columns."""
        return [f"k{n}" for n in range(len(self.types))]


def _one(kind: Any, values: st.SearchStrategy[Any]) -> KeyKind:
    return KeyKind((kind,), st.tuples(values))


_small, _any = st.integers(-20, 60), st.integers(-(2**63), 2**63 - 1)
_text = st.text(LETTERS, max_size=6).map(lambda text: text.rstrip(" "))  # padded to one length they must differ
KEYS = {
    "small integers": _one(sa.BigInteger, _small),
    "integers": _one(sa.BigInteger, _any),
    "UUIDs": _one(sa.Uuid, st.uuids(version=4)),
    "texts": _one(BINARY, _text),
    "pairs": KeyKind((BINARY, sa.BigInteger), st.tuples(st.text("aAb", max_size=1), st.integers(-3, 9))),
}


@dataclass(frozen=True)
class Row:
    """A row without its key."""

    n: int
    category: str | None


Rows = dict[Key, Row]
_row = st.builds(Row, n=st.integers(-5, 5), category=st.sampled_from(["a", "b", "c", "", None]))


@st.composite
def tables(draw: st.DrawFn) -> tuple[KeyKind, Rows]:
    """A kind of key, and rows under such keys."""
    kind = KEYS[draw(st.sampled_from(list(KEYS)))]
    return kind, draw(st.dictionaries(kind.keys, _row, min_size=1, max_size=60))


def make_tables(engine: sa.Engine, kind: KeyKind, rows: Rows) -> sa.Table:
    """Make the table afresh with these rows, and one of tags that knows "a"; forget all runs."""
    metadata = sa.MetaData()
    keys = [
        sa.Column(name, type_, primary_key=True, autoincrement=False)
        for name, type_ in zip(kind.names, kind.types, strict=True)
    ]
    table = sa.Table(
        "things",
        metadata,
        *keys,
        sa.Column("n", sa.BigInteger, nullable=False),
        sa.Column("category", sa.String(5)),
        sa.Column("place", sa.BigInteger),
        sa.Column("total", sa.BigInteger),
        mysql_engine="InnoDB",
    )
    name = sa.Column("name", sa.String(5), primary_key=True)
    tags = sa.Table("tags", metadata, name, sa.Column("origin", sa.String(9)), mysql_engine="InnoDB")
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        connection.execute(
            table.insert(),
            [
                {**dict(zip(kind.names, key, strict=True)), "n": row.n, "category": row.category}
                for key, row in rows.items()
            ],
        )
        connection.execute(tags.insert().values(name="a", origin="there"))
        if sa.inspect(connection).has_table(schema.slice_.name):
            connection.execute(schema.slice_.delete())
            connection.execute(schema.run.delete())
    return table
