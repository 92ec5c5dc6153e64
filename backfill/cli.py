"""The `backfill` command. Heavy imports wait inside the commands, so that --help is quick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from backfill.command.exits import exit_codes
from backfill.phrase import phrased

if TYPE_CHECKING:
    from backfill.command.project import Address, Project
    from backfill.database import Database
    from backfill.run import Run

OPENER = "backfill.opener"
"""Where a door that knows its database better, as Flask does, leaves its way of opening the project."""

Command = Callable[..., Any]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backfill")
def cli() -> None:
    """Fill columns of large tables: in batches, resumable, and proven before the schema moves on."""


def main() -> None:
    """The console script."""
    cli()


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
        with exit_codes():
            from backfill.command.project import Address  # noqa: PLC0415
            from backfill.running.progress import logging_to_stderr  # noqa: PLC0415

            address = Address(config=config, database=database, bind=bind, x_arguments=x_arguments)
            with logging_to_stderr():
                command(_opener(address), **arguments)

    for option in reversed(options):
        with_project = option(with_project)
    return with_project


def _opener(address: Address) -> Callable[..., Project]:
    from backfill.command.project import open_project  # noqa: PLC0415

    opener = click.get_current_context().meta.get(OPENER, open_project)
    return lambda **overrides: opener(address, **overrides)


# ── authoring ───────────────────────────────────────────────────────────────────────────────────────────────────────


@cli.command()
def init() -> None:
    """Write what a new project needs: the transforms package."""
    with exit_codes():
        from backfill.command.scaffold import write_project  # noqa: PLC0415
        from backfill.settings import load_settings  # noqa: PLC0415

        for line in write_project(load_settings().transforms):
            click.echo(phrased(line))


@cli.command()
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


@cli.command("list")
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
                click.echo(list_line(catalog.find(name)))
            except Refused as error:
                broken.append(str(error))
        if not names:
            click.echo(phrased("no transform yet. To make one:  backfill new NAME --table TABLE --column COLUMN"))
        if broken:
            raise Refused("\n".join(broken))


# ── the verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────

_accept = click.option("--accept", multiple=True, metavar="CODE", help="A finding that is meant, such as trigger.")
_batch_size = click.option(
    "--batch-size", type=click.IntRange(1, 100_000), help="Rows of the first batch; the size adapts."
)


@cli.command()
@click.argument("name")
@_accept
@_batch_size
@on_project
def plan(project: Callable[..., Project], name: str, accept: Sequence[str], batch_size: int | None) -> None:
    """Show what a run would do, by doing its first batch and taking it back."""
    from backfill.command.pages import plan_page  # noqa: PLC0415
    from backfill.planner import draft_plan  # noqa: PLC0415

    opened = project(batch_size=batch_size)
    transform = opened.catalog.find(name)

    def show(database: Database) -> None:
        click.echo(phrased(plan_page(draft_plan(database, transform, opened.settings, accept))))

    opened.visit(show)


@cli.command()
@click.argument("name")
@_accept
@_batch_size
@click.option("--workers", type=click.IntRange(1, 64), help="How many walk the table at once, if it allows that.")
@click.option(
    "--gentle", "duty", is_flag=True, flag_value=0.5, default=None, help="Rest after each batch for as long as it took."
)
@click.option("--accept-change", is_flag=True, help="Go on although the definition changed since the checkpoint.")
@click.option("--from-start", is_flag=True, help="Forget the checkpoint and walk from the first row.")
@on_project
def run(
    project: Callable[..., Project],
    name: str,
    accept: Sequence[str],
    accept_change: bool,
    from_start: bool,
    **settings: Any,
) -> None:
    """Start, go on with it, or do nothing when it is complete. Ctrl-C stops after the batch at hand."""
    from backfill.command.pages import run_page  # noqa: PLC0415
    from backfill.command.reconnection import reconnecting  # noqa: PLC0415
    from backfill.ledger import Ledger  # noqa: PLC0415
    from backfill.running.admission import CHANGE  # noqa: PLC0415
    from backfill.running.runner import run as run_transform  # noqa: PLC0415

    opened = project(**settings)
    transform = opened.catalog.find(name)

    def fill(database: Database) -> None:
        before = Ledger(database).latest(name)
        done = run_transform(
            database,
            transform,
            opened.settings,
            accept=[*accept, *([CHANGE] if accept_change else [])],
            from_start=from_start,
            reach=opened.reach(name),
        )
        click.echo(phrased(run_page(done, before)))

    reconnecting(lambda: opened.visit(fill))


@cli.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="A list of objects, for programs.")
@on_project
def status(project: Callable[..., Project], name: str | None, as_json: bool) -> None:
    """Every run, where it is, and what it waits for."""
    from backfill.command.pages import status_json, status_page  # noqa: PLC0415
    from backfill.ledger import Ledger  # noqa: PLC0415

    runs: list[Run] = []
    project().visit(lambda database: runs.extend(Ledger(database).runs(name)))
    click.echo(phrased(status_json(runs) if as_json else status_page(runs, name)))


@cli.command()
@click.argument("name")
@on_project
def pause(project: Callable[..., Project], name: str) -> None:
    """Let the run finish its batch and stop; `backfill run` goes on with it."""
    _move(project, name, "pause")


@cli.command()
@click.argument("name")
@on_project
def cancel(project: Callable[..., Project], name: str) -> None:
    """Give the run up: no further batch commits, finished batches stay."""
    _move(project, name, "cancel")


def _move(project: Callable[..., Project], name: str, verb: str) -> None:
    from backfill.running.control import LOCK_SECONDS, cancel_run, pause_run  # noqa: PLC0415

    move = pause_run if verb == "pause" else cancel_run
    project(lock_seconds=LOCK_SECONDS).visit(lambda database: click.echo(f"{name}: {move(database, name).status}"))


@cli.command()
@click.argument("name")
@on_project
def verify(project: Callable[..., Project], name: str) -> None:
    """Compute again and compare: a second pass must change nothing."""
    from backfill.command.pages import verdict_page  # noqa: PLC0415
    from backfill.verifier import verify as verify_transform  # noqa: PLC0415

    opened = project()
    transform = opened.catalog.find(name)
    mismatches = 0

    def check(database: Database) -> None:
        nonlocal mismatches
        verdict = verify_transform(database, transform)
        mismatches += len(verdict.mismatches)
        click.echo(verdict_page(verdict))

    opened.visit(check)
    if mismatches:
        raise SystemExit(1)


@cli.command()
@click.option("--rows", default=200_000, show_default=True, type=click.IntRange(1, 50_000_000), help="Users to make.")
def demo(rows: int) -> None:
    """Fill a database of many users, through the repository's own migrations."""
    with exit_codes():
        from backfill.command.demo import show_demo  # noqa: PLC0415

        show_demo(rows, Path.cwd())
