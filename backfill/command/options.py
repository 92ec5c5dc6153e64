"""Options that several commands share. Heavy imports wait inside the commands, so that --help is quick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from backfill.command.exits import exit_codes
from backfill.phrase import addressed

if TYPE_CHECKING:
    from backfill.command.project import Address, Project

OPENER = "backfill.opener"
"""Where a door that knows its database better, as Flask does, leaves its way of opening the project."""

Command = Callable[..., Any]

accepting = click.option("--accept", multiple=True, metavar="CODE", help="A finding that is meant, such as trigger.")
keeping = click.option(
    "--keep-undo/--no-keep-undo", default=None, help="Keep images of what the rows held, so that it can be undone."
)
sizing = click.option("--batch-size", type=click.IntRange(1, 100_000), help="Rows of the first batch; the size adapts.")


def on_project(command: Command) -> Command:
    """Give the command the project that its options name."""
    options = (
        click.option(
            "-c", "--config", type=click.Path(path_type=Path, exists=True), help="Alembic's configuration file."
        ),
        click.option(
            "-x", "x_arguments", multiple=True, metavar="KEY=VALUE", help="Passed on to env.py, as by alembic -x."
        ),
        click.option("--bind", help="Which database of a multi-database env.py."),
        click.option(
            "--database",
            envvar="BACKFILL_DATABASE_URL",
            metavar="URL",
            help="A database without Alembic. Better set BACKFILL_DATABASE_URL: arguments are visible to others.",
        ),
    )

    @wraps(command)
    def with_project(
        config: Path | None, x_arguments: Sequence[str], bind: str | None, database: str | None, **arguments: Any
    ) -> None:
        with addressed([*_address(config, x_arguments, bind)]), exit_codes():
            from backfill.command.project import Address  # noqa: PLC0415
            from backfill.running.progress import logging_to_stderr  # noqa: PLC0415

            address = Address(config=config, database=database, bind=bind, x_arguments=x_arguments)
            with logging_to_stderr():
                command(_opener(address), **arguments)

    for option in reversed(options):
        with_project = option(with_project)
    return with_project


def _address(config: Path | None, x_arguments: Sequence[str], bind: str | None) -> Iterator[str]:
    """The options that say where the database is, to be typed again; of a URL, which has a password, only that."""
    if config is not None:
        yield from ("--config", str(config))
    for argument in x_arguments:
        yield from ("-x", argument)
    if bind is not None:
        yield from ("--bind", bind)
    if click.get_current_context().get_parameter_source("database") is ParameterSource.COMMANDLINE:
        yield from ("--database", "URL")


def _opener(address: Address) -> Callable[..., Project]:
    from backfill.command.project import open_project  # noqa: PLC0415

    opener = click.get_current_context().meta.get(OPENER, open_project)
    return lambda **overrides: opener(address, **overrides)
