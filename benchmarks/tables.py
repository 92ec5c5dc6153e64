"""The table that every contender fills: `bench_users`, made fresh for each measurement, in an otherwise empty database.

Each row has about 200 bytes, like the users of an application.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    case,
    cast,
    func,
    insert,
    inspect,
    literal,
    null,
    select,
    text,
)

HOLE = 50_000_000
"""Numbers that nobody has, in the middle of a key with gaps."""

TENANTS = 100

PENDING = 1_000
"""In a sparse table one row in so many is still to be filled."""

_OTHER_SKILLS = " beginner, Gardening on a slope intermediate, SQL by heart advanced"

_SETTLING = {
    "postgresql": ("VACUUM ANALYZE bench_users", "CHECKPOINT"),
    "sqlite": ("ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"),
    "mariadb": ("ANALYZE TABLE bench_users",),
}
_LENGTH_OF_SERIES = "SET SESSION max_recursive_iterations = 4294967295"


class Kind(StrEnum):
    """What the table's key is like."""

    DENSE = "dense"
    GAPPY = "gappy"
    """One number in ten, and a hole in the middle."""
    UUID = "uuid"
    """In no order of the rows."""
    COMPOSITE = "composite"
    """Tenants whose rows lie among one another."""


@dataclass(frozen=True)
class Recipe:
    """How the table is made."""

    kind: Kind = Kind.DENSE
    is_sparse: bool = False
    """All rows have a first name but one in PENDING."""
    is_indexed: bool = False
    """A partial index holds the rows without a first name."""


def database_of(engine: Engine) -> str:
    """Which database it is: postgresql, sqlite or mariadb; MySQL is the same to us."""
    return {"mysql": "mariadb"}.get(engine.dialect.name, engine.dialect.name)


def users_of(kind: Kind) -> Table:
    """The table with that key."""
    number = BigInteger().with_variant(Integer, "sqlite")
    key: list[Column[Any]] = [Column("id", number, primary_key=True, autoincrement=False)]
    if kind is Kind.UUID:
        key = [Column("id", Uuid, primary_key=True)]
    if kind is Kind.COMPOSITE:
        key.insert(0, Column("tenant", Integer, primary_key=True, autoincrement=False))
    return Table(
        "bench_users",
        MetaData(),
        *key,
        Column("number", Integer, nullable=False),
        Column("email", String(100), nullable=False),
        Column("full_name", String(200), nullable=False),
        Column("bio", Text, nullable=False),
        Column("skills", JSON(none_as_null=True)),
        Column("first_name", String(200)),
        Column("last_name", String(200)),
    )


@contextmanager
def fresh_users(engine: Engine, recipe: Recipe, rows: int) -> Iterator[Table]:
    """The table with so many rows, its statistics taken; it and all that a contender makes are dropped in the end."""
    users = users_of(recipe.kind)
    if recipe.is_indexed:
        waiting = users.c.first_name.is_(None)
        Index("bench_users_pending", *users.primary_key, postgresql_where=waiting, sqlite_where=waiting)
    try:
        _make(engine, users, recipe, rows)
        yield users
    finally:
        drop_all(engine)


def is_empty(engine: Engine) -> bool:
    """Whether the database has no table, so that all tables may be dropped."""
    return not inspect(engine).get_table_names()


def drop_all(engine: Engine) -> None:
    """Drop every table."""
    found = MetaData()
    found.reflect(engine)
    found.drop_all(engine)


def _make(engine: Engine, users: Table, recipe: Recipe, rows: int) -> None:
    database = database_of(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if database == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        users.create(connection)
        _insert(connection, users, recipe, rows, database)
        for statement in _SETTLING[database]:
            connection.exec_driver_sql(statement).close()


def _insert(connection: Connection, users: Table, recipe: Recipe, rows: int, database: str) -> None:
    if database == "mariadb":
        connection.exec_driver_sql(_LENGTH_OF_SERIES)
    series = select(literal(1).label("n")).cte("series", recursive=True)
    series = series.union_all(select(series.c.n + 1).where(series.c.n < rows))
    n = series.c.n
    values = _key(recipe.kind, n, rows, database) | _values(n, recipe)
    connection.execute(insert(users).from_select(list(values), select(*values.values()).select_from(series)))


def _key(kind: Kind, n: ColumnElement[int], rows: int, database: str) -> dict[str, ColumnElement[Any]]:
    digest = func.md5(cast(n, String(20)))
    match kind:
        case Kind.GAPPY:
            return {"id": n * 10 + case((n > rows // 2, HOLE), else_=0)}
        case Kind.UUID if database == "sqlite":
            return {"id": func.lower(func.hex(func.randomblob(16)))}
        case Kind.UUID:
            return {"id": cast(digest, Uuid) if database == "postgresql" else _as_version_4(digest)}
        case Kind.COMPOSITE:
            return {"tenant": n % TENANTS, "id": n}
    return {"id": n}


def _as_version_4(digest: ColumnElement[str]) -> ColumnElement[Any]:
    """MariaDB takes no UUID that names no version."""
    return func.insert(func.insert(digest, 13, 1, "4"), 17, 1, "8")


def _values(n: ColumnElement[int], recipe: Recipe) -> dict[str, ColumnElement[Any]]:
    written = cast(n, String(20))
    first, last = literal("Ada") + written, literal("King of ") + written
    is_filled = n % PENDING != 0
    filled = case((is_filled, first)) if recipe.is_sparse else null()
    return {
        "number": n,
        "email": literal("user") + written + "@example.com",
        "full_name": first + " " + last,
        "bio": literal("Chess on board ") + written + _OTHER_SKILLS,
        "first_name": filled,
        "last_name": case((is_filled, last)) if recipe.is_sparse else null(),
    }


def version_of(engine: Engine) -> str:
    """The server's own words for its version."""
    question = "SELECT sqlite_version()" if database_of(engine) == "sqlite" else "SELECT version()"
    with engine.connect() as connection:
        return str(connection.execute(text(question)).scalar())
