"""Findings as annotations of a pull request: the workflow commands that GitHub reads from a job's output."""

from collections.abc import Sequence

from backfill.linting.finding import Finding
from backfill.linting.report import shown, told


def report_annotations(findings: Sequence[Finding]) -> str:
    """One command a finding."""
    return "\n".join(map(_command, findings))


def _command(finding: Finding) -> str:
    place = f"file={_property(shown(finding.path))},line={finding.line},title={_property(f'backfill {finding.code}')}"
    return f"::error {place}::{_data(told(finding))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
