"""The server and the session can do what a batch relies on."""

from collections.abc import Iterator

from backfill.finding import Finding
from backfill.rows.source import Source


def check_server(source: Source) -> Iterator[Finding]:
    """Ask the dialect: read-only servers, unsafe journals, unsafe replication formats."""
    yield from source.database.dialect.inspect_server(source.database.connection)
