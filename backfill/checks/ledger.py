"""A ledger that is there already is as safe as the rows whose checkpoints it holds."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import inspect

from backfill import schema
from backfill.finding import Finding, Severity
from backfill.rows.source import Source


def check_ledger(source: Source) -> Iterator[Finding]:
    """Ask the dialect about the ledger's tables as about any other: engines, durability, views."""
    connection = source.database.connection
    present = set(inspect(connection).get_table_names())
    for table in schema.metadata.sorted_tables:
        if table.name in present:
            for finding in source.database.dialect.inspect_table(connection, table):
                if finding.severity is Severity.REFUSAL:
                    yield Finding(f"ledger-{finding.code}", f"the ledger cannot be trusted: {finding.message}")
