"""The key is one by which a walk meets every row."""

from collections.abc import Iterator

from sqlalchemy import JSON, Float

from backfill.finding import Finding
from backfill.target import Target


def check_key(target: Target) -> Iterator[Finding]:
    """Types that cannot be read back exactly, and what the dialect knows of collations, NULLs and enums."""
    for name in target.key:
        kind = target.table.c[name].type
        if isinstance(kind, Float | JSON):
            yield Finding(
                "key-type",
                f"{target.name}.{name} is the key and is {kind!s}, which does not come back exactly as it is stored: "
                "give the table an integer, UUID or text key",
            )
    yield from target.database.dialect.inspect_key(target.database.connection, target.table, target.key)
