"""Databases: what a command visits, one URL or whatever an env.py connects to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from backfill.blame import code_of, place_of
from backfill.database import Database
from backfill.environment import Environment
from backfill.errors import BackfillError, Refused, Unreachable
from backfill.fault import Faulted
from backfill.settings import Settings

Visitor = Callable[[Database], None]

_DRIVERS = frozenset(
    {"psycopg", "psycopg2", "asyncpg", "pg8000", "pymysql", "MySQLdb", "mysql", "mariadb", "aiosqlite"}
)


class Databases(Protocol):
    """What can be visited."""

    def visit(self, visitor: Visitor) -> None:
        """Call `visitor` with every database, one after the other."""
        ...


class OneDatabase:
    """A database by its URL."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings

    def visit(self, visitor: Visitor) -> None:
        """Call `visitor` with it."""
        _visit(self._connect, visitor, "BACKFILL_DATABASE_URL")

    def _connect(self, visitor: Visitor) -> None:
        with Database.of(_engine(make_url(self._url)), self._settings.limits) as database:
            visitor(database)


class EnvironmentDatabases:
    """The databases of an env.py, or one bind of them."""

    def __init__(self, environment: Environment, bind: str | None, settings: Settings) -> None:
        self.environment = environment
        self.bind = bind
        self._settings = settings

    def visit(self, visitor: Visitor) -> None:
        """Call `visitor` with each of them."""
        _visit(self._connect, visitor, "env.py")

    def _connect(self, visitor: Visitor) -> None:
        self.environment.visit(visitor, self._settings.limits, self.bind)


def _engine(url: URL) -> Engine:
    if _is_absent_file(url):  # connecting would make an empty one
        raise Refused(
            "there is no such SQLite file: is the path in the URL right, and this the right folder?", code="no-file"
        )
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    if engine.dialect.is_async:
        raise Refused(
            f"{url.drivername} is for async programs; name a plain driver, such as postgresql+psycopg://",
            code="async-driver",
        )
    return engine


def _is_absent_file(url: URL) -> bool:
    is_file = url.get_backend_name() == "sqlite" and url.database and ":" not in url.database
    return bool(is_file) and not Path(str(url.database)).is_file()


def _visit(connect: Callable[[Visitor], None], visitor: Visitor, source: str) -> None:
    """Let the visitor's errors pass; say what else goes wrong without the URL, which may hold a password."""
    is_inside = False

    def enter(database: Database) -> None:
        nonlocal is_inside
        is_inside = True
        visitor(database)
        is_inside = False

    try:
        connect(enter)
    except BackfillError:
        raise
    except Exception as error:
        if is_inside:
            raise
        raise _refusal(error, source) from None


def _refusal(error: Exception, source: str) -> Refused:
    if isinstance(error, NoSuchModuleError):
        return Refused(
            f"the URL of {source} names a database or a driver that SQLAlchemy does not know; it begins as in "
            "postgresql+psycopg:// (not postgres://), mysql+pymysql:// or sqlite:///",
            code="unknown-driver",
        )
    if isinstance(error, ArgumentError):
        return Refused(
            f"{source} holds no URL of a database; one looks like postgresql+psycopg://user@host/name", code="no-url"
        )
    if isinstance(error, ModuleNotFoundError) and (source != "env.py" or error.name in _DRIVERS):
        return Refused(
            f"the driver {error.name} is not installed. Install it, or let the URL name one that comes with backfill: "
            "postgresql+psycopg:// with 'backfill[postgres]', mysql+pymysql:// with 'backfill[mysql]'",
            code="driver-missing",
        )
    if isinstance(error, DBAPIError | Faulted):
        code = error.code if isinstance(error, Faulted) else code_of(error)
        return Unreachable(
            f"the database could not be reached ({code}) by the URL of {source}: is it running, and are host, port, "
            "name, user and password right?"
        )
    if source == "env.py":
        return Refused(f"env.py cannot be run: {place_of(error)}", code="env-failed")
    return Refused(
        f"the URL of {source} cannot be used ({type(error).__name__}): check its port and its ?options",
        code="url-unusable",
    )
