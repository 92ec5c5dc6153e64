"""Findings as SARIF 2.1.0, which code scanning takes."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from backfill.linting.finding import Finding
from backfill.linting.linter import CODES
from backfill.linting.report import shown, told

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def report_sarif(findings: Sequence[Finding]) -> str:
    """One run, with every rule and every finding."""
    rules = [{"id": code, "shortDescription": {"text": title}} for code, title in CODES.items()]
    run = {"tool": {"driver": {"name": "backfill", "rules": rules}}, "results": [_result(each) for each in findings]}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(finding: Finding) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": quote(shown(finding.path))}, "region": {"startLine": finding.line}}
    return {
        "ruleId": finding.code,
        "ruleIndex": list(CODES).index(finding.code),
        "level": "error",
        "message": {"text": told(finding)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"subject/v1": f"{finding.subject}:{finding.code}"},
    }
