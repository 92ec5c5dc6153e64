"""Commands that carry runs out and look at them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from backfill.command.options import accepting, keeping, on_project, sizing
from backfill.phrase import phrased

if TYPE_CHECKING:
    from backfill.command.project import Project
    from backfill.database import Database
    from backfill.run import Run


@click.command()
@click.argument("name")
@accepting
@sizing
@keeping
@on_project
def plan(project: Callable[..., Project], name: str, accept: Sequence[str], **settings: Any) -> None:
    """Show what a run would do, by doing its first batch and taking it back."""
    from backfill.command.pages import plan_page  # noqa: PLC0415
    from backfill.planner import draft_plan  # noqa: PLC0415

    opened = project(**settings)
    transform = opened.catalog.find(name)
    options = [*_repeated(accept, **settings)]

    def show(database: Database) -> None:
        click.echo(phrased(plan_page(draft_plan(database, transform, opened.settings, accept), options)))

    opened.visit(show)


def _repeated(accept: Sequence[str], batch_size: int | None, keep_undo: bool | None) -> Iterator[str]:
    """The options of a plan that its run needs too, to be what was planned."""
    for code in accept:
        yield f"--accept {shlex.quote(code)}"
    if batch_size is not None:
        yield f"--batch-size {batch_size}"
    if keep_undo is not None:
        yield "--keep-undo" if keep_undo else "--no-keep-undo"


@click.command()
@click.argument("name")
@accepting
@sizing
@click.option("--workers", type=click.IntRange(1, 64), help="How many walk the table at once, if it allows that.")
@click.option(
    "--gentle", "duty", is_flag=True, flag_value=0.5, default=None, help="Rest after each batch for as long as it took."
)
@keeping
@click.option(
    "--max-rejections", metavar="N|N%", help="How many rows that cannot be filled may be left out; 0 by default."
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


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="A list of objects, for programs.")
@on_project
def status(project: Callable[..., Project], name: str | None, as_json: bool) -> None:
    """Every run, where it is, and what it waits for."""
    from backfill.command.pages import status_json, status_page  # noqa: PLC0415
    from backfill.ledger import Ledger  # noqa: PLC0415

    runs: list[Run] = []
    project().visit(lambda database: runs.extend(Ledger(database).runs(name)))
    click.echo(status_json(runs) if as_json else phrased(status_page(runs, name)))


@click.command()
@click.argument("name")
@on_project
def pause(project: Callable[..., Project], name: str) -> None:
    """Let the run finish its batch and stop; `backfill run` goes on with it."""
    _move(project, name, "pause")


@click.command()
@click.argument("name")
@on_project
def cancel(project: Callable[..., Project], name: str) -> None:
    """Give the run up: no further batch commits, finished batches stay."""
    _move(project, name, "cancel")


def _move(project: Callable[..., Project], name: str, verb: str) -> None:
    from backfill.running.control import LOCK_SECONDS, cancel_run, pause_run  # noqa: PLC0415

    move = pause_run if verb == "pause" else cancel_run

    def show(database: Database) -> None:
        click.echo(phrased(f"{name}: {move(database, name).status}"))

    project(lock_seconds=LOCK_SECONDS).visit(show)


@click.command()
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
        click.echo(phrased(verdict_page(verdict)))

    opened.visit(check)
    if mismatches:
        raise SystemExit(1)
