"""Review: `check` and `split`, the commands that read revisions and connect to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from backfill.command.exits import exit_codes
from backfill.phrase import phrased

if TYPE_CHECKING:
    from backfill.linting.finding import Finding
    from backfill.linting.linter import Reading
    from backfill.linting.revision import Revision

FORMATS = ("text", "json", "sarif", "github")


BASELINE = Path("backfill-baseline.json")
"""Read wherever it is, unless another is named."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(FORMATS), default="text", help="For people, or for programs.")
@click.option("--baseline", type=click.Path(path_type=Path), help="Findings that are known; only new ones count.")
@click.option("--write-baseline", is_flag=True, help="Write those of today into the baseline.")
@click.option("--fix", is_flag=True, help="Split the revisions whose data step is plain.")
def check(paths: Sequence[Path], format_: str, baseline: Path | None, write_baseline: bool, fix: bool) -> None:
    """Read revisions and transforms, and say which would hurt. Exit code 1 when something is found."""
    with exit_codes():
        from backfill.linting.reports import REPORTS  # noqa: PLC0415

        reading, known = _read(paths, baseline)
        if fix:
            _fix(reading)
            reading, known = _read(paths, baseline)
        if write_baseline:
            _write_baseline(reading, known)
            return
        findings = _new(reading, known)
        if findings or format_ != "text":
            click.echo(phrased(REPORTS[format_](findings)))
        revisions, transforms = len(reading.revisions), len(reading.declarations)
        click.echo(f"{len(findings)} found in {revisions} revisions and {transforms} transforms", err=True)
        if findings:
            raise SystemExit(1)


@click.command()
@click.argument("revision")
def split(revision: str) -> None:
    """Split a REVISION, by its id or file, into expand, fill and contract, and write the transform."""
    with exit_codes():
        from backfill.errors import Refused  # noqa: PLC0415

        path = Path(revision)
        reading, _ = _read([path] if path.is_file() else [], None)
        found = [each for each in reading.revisions if path.is_file() or each.id == revision]
        if len(found) != 1:
            raise Refused(
                f"there is no revision {revision} here. Name its file: backfill split FILE", code="split-no-revision"
            )
        _split(found[0])


def _read(paths: Sequence[Path], baseline: Path | None) -> tuple[Reading, Path | None]:
    from backfill.linting.configuration import load_configuration  # noqa: PLC0415
    from backfill.linting.linter import lint  # noqa: PLC0415
    from backfill.settings import load_settings  # noqa: PLC0415

    configuration = load_configuration()
    places = [*paths] or configuration.places(load_settings().transforms)
    usual = BASELINE if BASELINE.exists() else None
    return lint(places, configuration.disable), baseline or configuration.baseline or usual


def _new(reading: Reading, baseline: Path | None) -> Sequence[Finding]:
    from backfill.linting.baseline import beyond_baseline  # noqa: PLC0415

    return reading.findings if baseline is None else beyond_baseline(baseline, reading.findings)


def _write_baseline(reading: Reading, baseline: Path | None) -> None:
    from backfill.linting.baseline import write_baseline  # noqa: PLC0415

    path = baseline or BASELINE
    click.echo(f"written  {path}: {write_baseline(path, reading.findings)} findings that count no more")


def _fix(reading: Reading) -> None:
    from backfill.linting.shape import NotPlain  # noqa: PLC0415

    for revision in reading.revisions:
        if any(each.code == "mixed" and each.path == revision.path for each in reading.findings):
            try:
                _write_split(revision)
            except NotPlain as reason:
                click.echo(f"kept     {revision.path}: {reason}", err=True)


def _split(revision: Revision) -> None:
    from backfill.errors import Refused  # noqa: PLC0415
    from backfill.linting.shape import NotPlain  # noqa: PLC0415

    try:
        _write_split(revision)
    except NotPlain as reason:
        raise Refused(
            f"{revision.path} cannot be split without its author, and was left as it is: {reason}. What it would "
            f"become: backfill check {revision.path}",
            code="split-impossible",
        ) from None


def _write_split(revision: Revision) -> None:
    from backfill.linting.splitting import split as split_revision  # noqa: PLC0415
    from backfill.linting.splitting import write_split  # noqa: PLC0415
    from backfill.settings import load_settings  # noqa: PLC0415

    for line in write_split(split_revision(revision), Path(*load_settings().transforms.split("."))):
        click.echo(line, err=True)
