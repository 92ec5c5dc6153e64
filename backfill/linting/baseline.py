"""Baseline: the findings that a project had when it began to check; only what is new counts.

It counts by subject and code, not by line: a file may be edited, and a finding more in it is still seen.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from backfill.errors import Refused
from backfill.linting.finding import Finding


def write_baseline(path: Path, findings: Iterable[Finding]) -> int:
    """Write down what is there today; gives how many they are."""
    counts = Counter((each.subject, each.code) for each in findings)
    entries = [{"in": subject, "code": code, "count": count} for (subject, code), count in sorted(counts.items())]
    path.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    return counts.total()


def beyond_baseline(path: Path, findings: Iterable[Finding]) -> list[Finding]:
    """The findings that the baseline does not have.

    Raises:
        Refused: the file is none that `--write-baseline` wrote.
    """
    allowed = _read(path)
    new = []
    for finding in findings:
        key = (finding.subject, finding.code)
        if allowed[key] > 0:
            allowed[key] -= 1
        else:
            new.append(finding)
    return new


def _read(path: Path) -> Counter[tuple[str, str]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return Counter({(str(each["in"]), str(each["code"])): int(each["count"]) for each in entries})
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(
            f"{path} is no baseline. To write one: backfill check --write-baseline --baseline {path}",
            code="check-no-baseline",
        ) from None
