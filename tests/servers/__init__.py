"""Real database servers for the tests: what every server offers, whoever started it."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError


class Unavailable(Exception):
    """The database cannot be tested on this machine; the message says why."""


class Server(ABC):
    """A running server in which each test gets a database of its own."""

    name: str

    def __init__(self, url: sa.URL, stop: Callable[[], None] | None = None) -> None:
        """Take the URL of an account that may create databases, and how to end a server that is not shared."""
        self.url = url
        self.admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        self._stop = stop

    @property
    def is_shared(self) -> bool:
        """Tell whether the server was there before the tests and stays after them."""
        return self._stop is None

    def create_database(self) -> sa.URL:
        """Create an empty database under a name that no other test, or test run, uses."""
        name = f"backfill_test_{uuid4().hex[:16]}"
        with self.admin.connect() as connection:
            self._create(connection, name)
        return self.url.set(database=name)

    def drop_database(self, url: sa.URL) -> None:
        """Drop a test's database, together with the connections that a killed test left behind."""
        assert url.database is not None
        with self.admin.connect() as connection:
            self._drop(connection, url.database)

    def stop(self) -> None:
        """End the server, unless it is shared."""
        self.admin.dispose()
        if self._stop:
            self._stop()

    @abstractmethod
    def _create(self, connection: sa.Connection, name: str) -> None:
        """Create the database `name`."""

    @abstractmethod
    def _drop(self, connection: sa.Connection, name: str) -> None:
        """Drop the database `name`, even if somebody is still connected."""


def url_from_environment(variable: str, drivername: str) -> sa.URL | None:
    """Read the URL of a server that the developer runs, whatever driver it names."""
    if text := os.environ.get(variable):
        return sa.make_url(text).set(drivername=drivername)
    return None


def answers(url: sa.URL) -> bool:
    """Tell whether a connection can be opened and used."""
    try:
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            return connection.scalar(sa.select(sa.literal(1))) == 1
    except DBAPIError:
        return False
