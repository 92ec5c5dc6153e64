"""Environment: the project's own env.py, visited to reach the databases that it configures."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from backfill.database import Database
from backfill.dialect import Limits
from backfill.errors import Refused
from backfill.escaping import excerpt

Visitor = Callable[[Database], None]

DEFAULT_BIND = "default"
EVERY_BIND = "*"


class Environment:
    """The databases of one env.py: a second configuration of them would drift from the first."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @classmethod
    def of_file(cls, file: Path, x_arguments: Sequence[str] = ()) -> Environment:
        """The environment that an alembic.ini or pyproject.toml names, as `alembic -c` would have it."""
        options = Namespace(config=[str(file)], x=list(x_arguments), name="alembic", raiseerr=False)
        toml = file if file.suffix == ".toml" else Path("pyproject.toml")
        ini = None if file.suffix == ".toml" else str(file)
        return cls(Config(ini, toml_file=str(toml) if toml.is_file() else None, cmd_opts=options))

    @property
    def ini(self) -> Path | None:
        """The configuration file."""
        return None if self.config.config_file_name is None else Path(self.config.config_file_name)

    def visit(self, visitor: Visitor, limits: Limits, bind: str | None = None) -> None:
        """Call `visitor` with the databases that env.py connects to.

        Args:
            visitor: called once per database, tenant by tenant where env.py has a loop.
            limits: for the statements of a batch.
            bind: of a multi-database env.py the one that is meant, or EVERY_BIND; None is the one called "default".

        Raises:
            Refused: env.py or its configuration cannot be run, or it has no such bind.
        """
        binds: list[str] = []
        wanted = bind or DEFAULT_BIND

        def step(_: Any, context: MigrationContext) -> list[Any]:
            binds.append(bind_of(context))
            if wanted in (EVERY_BIND, binds[-1]):
                with database_of(context, limits) as database:
                    visitor(database)
            return []

        self._run(step)
        if wanted not in (EVERY_BIND, *binds):
            known = ", ".join(dict.fromkeys(binds)) or "none"
            raise Refused(
                f"env.py has no database called {wanted}; it has: {known}. Say which with --bind", code="unknown-bind"
            )

    def _run(self, step: Callable[[Any, MigrationContext], list[Any]]) -> None:
        try:
            script = ScriptDirectory.from_config(self.config)
            with EnvironmentContext(self.config, script, fn=step, dont_mutate=True, destination_rev="heads"):
                script.run_env()
        except CommandError as error:
            raise Refused(
                f"the Alembic environment cannot be run: {excerpt(str(error))}. In a Flask project the command is: "
                "flask backfill",
                code="environment-failed",
            ) from None


def bind_of(context: MigrationContext) -> str:
    """Which of a multi-database env.py's databases this is; "default" where there is one."""
    token = str(context.opts.get("upgrade_token") or "upgrades")
    return token.removesuffix("upgrades").rstrip("_") or DEFAULT_BIND


def is_shared(context: MigrationContext) -> bool:
    """Whether env.py owns the transaction, as the multidb templates do."""
    return bool(getattr(context, "_in_external_transaction", False))


@contextmanager
def database_of(context: MigrationContext, limits: Limits) -> Iterator[Database]:
    """The context's database, outside of any migration: a command's own transactions on env.py's connection."""
    connection = context.connection
    if connection is None:
        raise Refused("env.py did not connect to a database: run without --sql", code="not-connected")
    if is_shared(context):
        with Database.of(connection.engine, limits) as database:
            yield database
        return
    # As run_migrations() does for each step: without it autocommit_block() finds no transaction to end.
    with (
        context.begin_transaction(_per_migration=True),
        context.autocommit_block(),
        Database(connection, limits) as database,
    ):
        yield database
