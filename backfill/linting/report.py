"""Report: findings as a text for people or for a program; each format is a file of `reports/`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from backfill.linting.finding import Finding

Report = Callable[[Sequence[Finding]], str]


def shown(path: Path) -> str:
    """The path as one would type it here."""
    return (
        path.relative_to(Path.cwd()).as_posix()
        if path.is_absolute() and path.is_relative_to(Path.cwd())
        else path.as_posix()
    )


def told(finding: Finding) -> str:
    """Why, and what to write instead, where a format has one place for both."""
    return f"{finding.why}. Write instead:\n{finding.remedy}"
