"""The table is one whose changes are transactional and durable."""

from collections.abc import Iterator

from backfill.finding import Finding
from backfill.rows.target import Target


def check_table(target: Target) -> Iterator[Finding]:
    """Ask the dialect: views, foreign, unlogged and temporary tables, engines without transactions, triggers."""
    yield from target.database.dialect.inspect_table(target.database.connection, target.table)
