"""The `backfill` command: its commands, gathered."""

from __future__ import annotations

import click

from backfill.command.authoring import demo, init, list_, new, revision
from backfill.command.correcting import forget, rejections, undo
from backfill.command.operating import cancel, pause, plan, run, status, verify
from backfill.command.review import check, split

COMMANDS = (
    *(init, new, revision, list_, check, split),
    *(plan, run, status, pause, cancel, verify),
    *(rejections, undo, forget),
)
"""Of every project."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backfill")
def cli() -> None:
    """Fill columns of large tables: in batches, resumable, and proven before the schema moves on."""


for _command in (*COMMANDS, demo):
    cli.add_command(_command)


def main() -> None:
    """The console script."""
    cli()
