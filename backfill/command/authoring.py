"""Commands with which a project and its transforms are begun, and the demonstration."""

from __future__ import annotations

from pathlib import Path

import click

from backfill.command.exits import exit_codes
from backfill.phrase import phrased


@click.command()
def init() -> None:
    """Write what a new project needs: the transforms package."""
    with exit_codes():
        from backfill.command.scaffold import write_project  # noqa: PLC0415
        from backfill.settings import load_settings  # noqa: PLC0415

        for line in write_project(load_settings().transforms):
            click.echo(phrased(line))


@click.command()
@click.argument("name")
@click.option("--table", required=True, help="The table to fill.")
@click.option("--column", required=True, help="The column to fill.")
@click.option("--sql", is_flag=True, help="With an SQL expression, instead of row by row in Python.")
def new(name: str, table: str, column: str, sql: bool) -> None:
    """Write transforms/NAME.py, ready to be filled in."""
    with exit_codes():
        from backfill.command.scaffold import write_transform  # noqa: PLC0415
        from backfill.settings import load_settings  # noqa: PLC0415

        for line in write_transform(load_settings().transforms, name, table, column, sql=sql):
            click.echo(phrased(line))


@click.command("list")
def list_() -> None:
    """The transforms of this project, each with its first line."""
    with exit_codes():
        from backfill.catalog import Catalog  # noqa: PLC0415
        from backfill.command.pages import list_line  # noqa: PLC0415
        from backfill.errors import Refused  # noqa: PLC0415
        from backfill.settings import load_settings  # noqa: PLC0415

        catalog = Catalog(load_settings().transforms)
        names, broken = list(catalog.names()), list[str]()
        for name in names:
            try:
                click.echo(phrased(list_line(catalog.find(name))))
            except Refused as error:
                broken.append(str(error))
        if not names:
            click.echo(phrased("no transform yet. To make one:  backfill new NAME --table TABLE --column COLUMN"))
        if broken:
            raise Refused("\n".join(broken), code="broken-transforms")


@click.command()
@click.option("--rows", default=200_000, show_default=True, type=click.IntRange(1, 50_000_000), help="Users to make.")
def demo(rows: int) -> None:
    """Fill a database of many users, through the repository's own migrations."""
    with exit_codes():
        from backfill.command.demo import show_demo  # noqa: PLC0415

        show_demo(rows, Path.cwd())
