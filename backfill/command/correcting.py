"""Commands that take back what a run wrote, or let go of what would be needed for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from backfill.command.options import on_project
from backfill.phrase import phrased

if TYPE_CHECKING:
    from backfill.command.project import Project
    from backfill.database import Database
    from backfill.rejections import Rejection


@click.command()
@click.argument("name")
@on_project
def undo(project: Callable[..., Project], name: str) -> None:
    """Put back what rows held before the runs of NAME, where they still hold what was written."""
    from backfill.command.pages import undo_page  # noqa: PLC0415
    from backfill.command.reconnection import reconnecting  # noqa: PLC0415
    from backfill.ledger import Ledger  # noqa: PLC0415
    from backfill.running.undoer import undo as undo_runs  # noqa: PLC0415

    opened = project()

    def restore(database: Database) -> None:
        Ledger(database).newest(name)  # refuses a name without a run
        click.echo(phrased(undo_page(name, undo_runs(database, name, opened.settings))))

    reconnecting(lambda: opened.visit(restore))


@click.command()
@click.argument("name")
@click.argument("decision", required=False, type=click.Choice(["retry", "accept"]))
@click.argument("numbers", nargs=-1, type=int)
@click.option("--json", "as_json", is_flag=True, help="A list of objects, for programs.")
@click.option("--keys", "with_keys", is_flag=True, help="Show keys in full: they are values of the rows.")
@on_project
def rejections(
    project: Callable[..., Project],
    name: str,
    decision: str | None,
    numbers: tuple[int, ...],
    as_json: bool,
    with_keys: bool,
) -> None:
    """Rows that NAME could not fill, and why; `retry` takes them again, `accept` lets them stay as they are.

    Without NUMBERS it decides about all of them.
    """
    from backfill.command.rejected import decision_page, rejections_json, rejections_page  # noqa: PLC0415
    from backfill.running.reconsideration import (  # noqa: PLC0415
        accept_rejections,
        rejections_of,
        retry_rejections,
    )

    opened = project()

    if as_json and decision is None:
        of_all: list[Rejection] = []
        opened.visit(lambda database: of_all.extend(rejections_of(database, name)))
        click.echo(rejections_json(of_all, with_keys=with_keys))
        return

    def visit(database: Database) -> None:
        if decision is None:
            page = rejections_page(name, rejections_of(database, name), with_keys=with_keys)
        elif decision == "accept":
            page = decision_page(name, decision, accept_rejections(database, name, numbers))
        else:
            page = decision_page(name, decision, retry_rejections(database, opened.catalog.find(name), numbers))
        click.echo(phrased(page))

    opened.visit(visit)


@click.command()
@click.argument("name")
@on_project
def forget(project: Callable[..., Project], name: str) -> None:
    """Drop the images that runs of NAME keep: they cannot be undone any more."""
    from backfill.command.pages import forget_page  # noqa: PLC0415
    from backfill.ledger import Ledger  # noqa: PLC0415
    from backfill.running.undoer import forget as forget_images  # noqa: PLC0415

    def drop(database: Database) -> None:
        Ledger(database).newest(name)  # refuses a name without a run
        click.echo(phrased(forget_page(name, forget_images(database, name))))

    project().visit(drop)
