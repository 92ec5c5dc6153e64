"""The walk is one that meets every row, and the key one that names each row exactly."""

from collections.abc import Iterator

from sqlalchemy import JSON, Float

from backfill.declaration.adaptation import columns_of
from backfill.finding import Finding
from backfill.rows.target import Target


def check_key(target: Target) -> Iterator[Finding]:
    """Types that cannot be read back exactly, and what the dialect knows of collations, NULLs and enums."""
    dialect, connection = target.database.dialect, target.database.connection
    walked = [name for place in target.walk.columns for name in columns_of(place, target.table)]
    yield from _inexact(target, walked)
    if not target.walk.is_by_key:
        yield from dialect.inspect_order(connection, target.table, walked)
    if not target.walk.is_grouped or target.writes_own_rows:
        yield from _inexact(target, [name for name in target.key if name not in walked])
        yield from dialect.inspect_key(connection, target.table, target.key)


def _inexact(target: Target, names: list[str]) -> Iterator[Finding]:
    for name in names:
        kind = target.table.c[name].type
        role = "the key" if name in target.key else "walked by"
        if isinstance(kind, Float | JSON):
            yield Finding(
                "key-type",
                f"{target.name}.{name} is {role} and is {kind!s}, which does not come back exactly as it is stored: "
                "give the table an integer, UUID or text key",
            )
