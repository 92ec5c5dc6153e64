"""Findings for people: where, why, and what to write instead."""

from collections.abc import Sequence
from textwrap import indent

from backfill.linting.finding import Finding
from backfill.linting.report import shown


def report_sentences(findings: Sequence[Finding]) -> str:
    """One paragraph a finding."""
    return "\n\n".join(map(_paragraph, findings))


def _paragraph(finding: Finding) -> str:
    remedy = indent(finding.remedy.strip(), "    | ", lambda _: True)
    return f"{shown(finding.path)}:{finding.line}: [{finding.code}] {finding.why}. Write instead:\n{remedy}"
