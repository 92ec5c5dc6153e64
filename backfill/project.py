"""Project: where a command finds its settings, its transforms and its databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from backfill.catalog import Catalog
from backfill.database import Database
from backfill.environment import Environment
from backfill.errors import Refused
from backfill.settings import Settings, load_settings

Visitor = Callable[[Database], None]

CONFIGURATIONS = ("alembic.ini", "migrations/alembic.ini", "pyproject.toml")
"""Where an Alembic environment is configured, in the order in which we look."""


@dataclass(frozen=True)
class Address:
    """What the user said about where the database is."""

    config: Path | None = None
    database: str | None = None
    bind: str | None = None
    x_arguments: Sequence[str] = ()


class Databases(Protocol):
    """What can be visited: one URL, or whatever an env.py connects to."""

    def visit(self, visitor: Visitor) -> None:
        """Call `visitor` with every database, one after the other."""
        ...


class Project:
    """Settings, transforms and databases, as one command needs them."""

    def __init__(self, settings: Settings, databases: Databases, roots: Sequence[Path]) -> None:
        self.settings = settings
        self.catalog = Catalog(settings.transforms, roots)
        self._databases = databases

    def visit(self, visitor: Visitor) -> None:
        """Call `visitor` with every database of the project."""
        self._databases.visit(visitor)


def open_project(address: Address, **overrides: object) -> Project:
    """The project in the working directory; `overrides` are settings that the command line gave.

    Raises:
        Refused: there is neither a URL nor an Alembic environment.
    """
    if address.database is not None:
        settings = load_settings(None, **overrides)
        return Project(settings, _OneDatabase(address.database, settings), [Path.cwd()])
    config = address.config or _configuration()
    environment = Environment.of_file(config, address.x_arguments)
    return project_of(environment, address.bind, **overrides)


def project_of(environment: Environment, bind: str | None = None, **overrides: object) -> Project:
    """The project of an Alembic environment."""
    ini = environment.ini
    settings = load_settings(ini, **overrides)
    roots = [Path.cwd(), *(ini.resolve().parents[:2] if ini else ())]
    return Project(settings, _EnvironmentDatabases(environment, bind, settings), roots)


class _OneDatabase:
    """A database by its URL."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url = url
        self._settings = settings

    def visit(self, visitor: Visitor) -> None:
        with _engine_faults():
            engine = create_engine(make_url(self._url), poolclass=NullPool, hide_parameters=True)
            with Database.of(engine, self._settings.limits) as database:
                visitor(database)


class _EnvironmentDatabases:
    """The databases of an env.py, or one bind of them."""

    def __init__(self, environment: Environment, bind: str | None, settings: Settings) -> None:
        self._environment = environment
        self._bind = bind
        self._settings = settings

    def visit(self, visitor: Visitor) -> None:
        with _engine_faults():
            self._environment.visit(visitor, self._settings.limits, self._bind)


@contextmanager
def _engine_faults() -> Iterator[None]:
    """Say what keeps us from connecting, without the URL: it may hold a password."""
    try:
        yield
    except NoSuchModuleError:
        raise Refused("the database URL names a dialect that is not installed") from None
    except ArgumentError:
        raise Refused("the database URL cannot be read; it looks like postgresql+psycopg://user@host/name") from None
    except ModuleNotFoundError as error:
        raise Refused(
            f"the driver {error.name} is not installed: pip install 'backfill[postgres]' or 'backfill[mysql]'"
        ) from None
    except DBAPIError as error:
        raise Refused(
            f"the database could not be reached ({type(error.orig).__name__}): is it running, and is its URL right?"
        ) from None


def _configuration() -> Path:
    for name in CONFIGURATIONS:
        path = Path(name)
        if path.is_file() and (path.suffix == ".ini" or "[tool.alembic]" in path.read_text(encoding="utf-8")):
            return path
    raise Refused(
        f"there is no Alembic environment here ({', '.join(CONFIGURATIONS)}). Go to the project's folder, name its "
        "file with --config, or name a database with BACKFILL_DATABASE_URL"
    )
