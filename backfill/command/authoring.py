"""Commands with which a project and its transforms are begun, and the demonstration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backfill.command.exits import exit_codes
from backfill.command.options import on_project
from backfill.phrase import phrased

if TYPE_CHECKING:
    from sqlalchemy import Table

    from backfill.command.project import Project
    from backfill.database import Database
    from backfill.declaration.definition import Definition
    from backfill.revisions import Draft


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
    """Write transforms/NAME.py, ready to be filled in, and its test."""
    with exit_codes():
        from backfill.command.scaffold import write_transform  # noqa: PLC0415
        from backfill.settings import load_settings  # noqa: PLC0415

        for line in write_transform(load_settings().transforms, name, table, column, sql=sql):
            click.echo(phrased(line))


@click.command()
@click.argument("name")
@click.option("--gate", is_flag=True, help="The schema revision instead, which waits until every row is filled.")
@click.option("--head", default="head", show_default=True, help="The revision that it follows.")
@click.option("--rev-id", metavar="ID", help="Its identifier; a random one by default.")
@on_project
def revision(project: Callable[..., Project], name: str, gate: bool, head: str, rev_id: str | None) -> None:
    """Write the data revision that runs NAME, or the schema revision that waits for it."""
    from backfill.revisions import Placement, draft_fill, write_revision  # noqa: PLC0415

    opened = project()
    alembic = opened.under_alembic
    definition = opened.catalog.find(name).definition
    draft = _gate_of(opened, definition) if gate else draft_fill(definition)
    write_revision(alembic.environment.config, draft, Placement(head, rev_id, alembic.bind))  # Alembic tells its file
    click.echo(
        phrased("Next: read it, then upgrade" if gate else f"Next: upgrade, then:  backfill revision {name} --gate")
    )


def _gate_of(project: Project, definition: Definition) -> Draft:
    """The gate's draft, for the tables as they are in the first database that has them."""
    from backfill.revisions import draft_gate  # noqa: PLC0415
    from backfill.rows.tables import Tables  # noqa: PLC0415

    found: list[Sequence[Table]] = []

    def look(database: Database) -> None:
        tables = Tables(database)
        found.append([tables.find(table) for table in definition.tables_walked])

    project.visit(look)
    return draft_gate(definition, found[0])


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
