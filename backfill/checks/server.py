"""The server and the session can do what a batch relies on."""

from collections.abc import Iterator

from backfill.finding import Finding
from backfill.target import Target


def check_server(target: Target) -> Iterator[Finding]:
    """Ask the dialect: read-only servers, unsafe journals, unsafe replication formats."""
    yield from target.database.dialect.inspect_server(target.database.connection)
