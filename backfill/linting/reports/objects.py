"""Findings for programs: a list of objects."""

import json
from collections.abc import Sequence

from backfill.linting.finding import Finding
from backfill.linting.report import shown


def report_objects(findings: Sequence[Finding]) -> str:
    """One object a finding."""
    return json.dumps([_object(each) for each in findings], indent=2)


def _object(finding: Finding) -> dict[str, object]:
    return {
        "path": shown(finding.path),
        "line": finding.line,
        "code": finding.code,
        "in": finding.subject,
        "why": finding.why,
        "remedy": finding.remedy,
    }
