"""`flask backfill …`: the same commands, on the databases of the application's Flask-Migrate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click
from flask import current_app, has_app_context
from flask.cli import ScriptInfo, with_appcontext

from backfill import cli as door
from backfill.command.options import OPENER
from backfill.phrase import speak_as

if TYPE_CHECKING:
    from backfill.command.project import Address, Project


speak_as("flask backfill", "flask db", has_app_context)  # in every `flask` command, `flask db upgrade` among them


@click.group("backfill", context_settings=door.cli.context_settings)
@with_appcontext
@click.pass_context
def cli(context: click.Context) -> None:
    """Fill columns of large tables: in batches, resumable, and proven before the schema moves on."""
    context.meta[OPENER] = open_flask_project


for _command in door.COMMANDS:
    cli.add_command(_command)


def open_flask_project(address: Address, **overrides: Any) -> Project:
    """The project of the current application, unless the command names a database of its own.

    Raises:
        Refused: the application has no Flask-Migrate.
    """
    from backfill.command.project import open_project, project_of  # noqa: PLC0415
    from backfill.environment import Environment  # noqa: PLC0415  # heavy: only once a command runs
    from backfill.errors import Refused  # noqa: PLC0415

    if address.database is not None or address.config is not None:
        return open_project(address, **overrides)
    if "migrate" not in current_app.extensions:
        raise Refused(
            "this application has no Flask-Migrate: Migrate(app, db) where the app is made", code="no-flask-migrate"
        )
    config = current_app.extensions["migrate"].migrate.get_config(x_arg=list(address.x_arguments))
    return project_of(Environment(config), address.bind, overrides, _reopening(address, overrides))


def _reopening(address: Address, overrides: Mapping[str, Any]) -> Callable[[], Project] | None:
    """How another process makes the same application; None in such a process, or where no name leads to it."""
    context = click.get_current_context(silent=True)
    script = None if context is None else context.find_object(ScriptInfo)
    if script is None or script.create_app is not None:
        return None
    return partial(_reopen, script.app_import_path, address, overrides)


def _reopen(app_import_path: str | None, address: Address, overrides: Mapping[str, Any]) -> Project:
    ScriptInfo(app_import_path).load_app().app_context().push()  # for as long as the process lives
    return open_flask_project(address, **overrides)
