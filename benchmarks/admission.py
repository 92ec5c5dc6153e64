"""Admission: which databases may be loaded and emptied. Those on this machine, that hold nothing."""

from __future__ import annotations

import sys

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.pool import NullPool

from benchmarks.tables import is_empty

LOOPBACK = {"", "localhost", "127.0.0.1", "::1"}


def admit(url: str) -> str:
    """Give the URL back, or end the program with the reason why not."""
    if not is_here(make_url(url)):
        sys.exit("a database is on another machine: the load is for servers on this one, by loopback or a socket")
    if not is_empty(create_engine(url, poolclass=NullPool)):
        sys.exit("a database has tables, and all tables are dropped in the end: name an empty one")
    return url


def is_here(url: URL) -> bool:
    """Whether the database is a file, or behind loopback or a socket."""
    if url.get_backend_name() == "sqlite":
        return True
    host = url.host or str(url.query.get("host", ""))
    return host in LOOPBACK or host.startswith("/")
