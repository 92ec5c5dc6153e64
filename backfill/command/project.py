"""Project: where a command finds its settings, its transforms and its databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backfill.catalog import Catalog
from backfill.command.databases import Databases, EnvironmentDatabases, OneDatabase, Visitor
from backfill.environment import Environment
from backfill.errors import Refused
from backfill.running.progress import logging_to_stderr
from backfill.settings import Settings, load_settings

if TYPE_CHECKING:
    from backfill.running.crew import Reach, Work

CONFIGURATIONS = ("alembic.ini", "migrations/alembic.ini", "pyproject.toml")
"""Where an Alembic environment is configured, in the order in which we look."""


@dataclass(frozen=True)
class Address:
    """What the user said about where the database is."""

    config: Path | None = None
    database: str | None = None
    bind: str | None = None
    x_arguments: Sequence[str] = ()


class Project:
    """Settings, transforms and databases, as one command needs them."""

    def __init__(
        self, settings: Settings, databases: Databases, roots: Sequence[Path], reopen: Callable[[], Project] | None
    ) -> None:
        self.settings = settings
        self.catalog = Catalog(settings.transforms, roots)
        self._databases = databases
        self._reopen = reopen

    @property
    def under_alembic(self) -> EnvironmentDatabases:
        """The databases of the Alembic environment; raises Refused where one was named by its URL instead."""
        if isinstance(self._databases, EnvironmentDatabases):
            return self._databases
        raise Refused(
            "revisions belong to an Alembic environment: leave --database and BACKFILL_DATABASE_URL out",
            code="revision-no-environment",
        )

    def visit(self, visitor: Visitor) -> None:
        """Call `visitor` with every database of the project."""
        self._databases.visit(visitor)

    def reach(self, name: str) -> Reach | None:
        """How another process comes to the same databases and a transform; None if it cannot."""
        return None if self._reopen is None else partial(_visit_again, self._reopen, name)


def _visit_again(reopen: Callable[[], Project], name: str, work: Work) -> None:
    with logging_to_stderr():
        project = reopen()
        transform = project.catalog.find(name)
        project.visit(lambda database: work(database, transform))


def open_project(address: Address, **overrides: Any) -> Project:
    """The project in the working directory; `overrides` are settings that the command line gave.

    Raises:
        Refused: there is neither a URL nor an Alembic environment.
    """
    reopen = partial(open_project, address, **overrides)
    if address.database is not None:
        _require_one(address)
        settings = load_settings(None, **overrides)
        return Project(settings, OneDatabase(address.database, settings), [Path.cwd()], reopen)
    config = address.config or _configuration()
    environment = Environment.of_file(config, address.x_arguments)
    return project_of(environment, address.bind, overrides, reopen)


def _require_one(address: Address) -> None:
    """What was said of an Alembic environment would be passed over where a URL says which database is meant."""
    said = {"--config": address.config, "--bind": address.bind, "-x": address.x_arguments}
    if options := [option for option, value in said.items() if value]:
        raise Refused(
            f"--database or BACKFILL_DATABASE_URL names a database, and {' and '.join(options)} may mean another: "
            "leave one of them out",
            code="two-databases",
        )


def project_of(
    environment: Environment, bind: str | None, overrides: Mapping[str, Any], reopen: Callable[[], Project] | None
) -> Project:
    """The project of an Alembic environment; `reopen` can be sent to another process, which opens it there."""
    ini = environment.ini
    settings = load_settings(ini, **overrides)
    roots = [Path.cwd(), *(ini.resolve().parents[:2] if ini else ())]
    return Project(settings, EnvironmentDatabases(environment, bind, settings), roots, reopen)


def _configuration() -> Path:
    for name in CONFIGURATIONS:
        path = Path(name)
        if path.is_file() and (path.suffix == ".ini" or "[tool.alembic]" in path.read_text(encoding="utf-8")):
            return path
    raise Refused(
        f"there is no Alembic environment here ({', '.join(CONFIGURATIONS)}). Go to the project's folder, name its "
        "file with --config, or name a database with BACKFILL_DATABASE_URL",
        code="no-environment",
    )
