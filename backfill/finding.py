"""Finding: what one preflight check found, with the code it is known by."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs."""

    REFUSAL = "refusal"
    """Rows could be lost or wrongly written: the run does not start."""

    CONSENT = "consent"
    """The run touches more than the definition says: it starts once `accept` names the code."""

    WARNING = "warning"
    """Worth knowing before the run starts."""


@dataclass(frozen=True)
class Finding:
    """One thing a check found: its code, a sentence with the repair, and its weight."""

    code: str
    message: str
    severity: Severity = Severity.REFUSAL


def consent(code: str, what: str) -> Finding:
    """A finding that stands in the way until somebody says that it is meant."""
    return Finding(code, f"{what}. If that is meant: --accept {code}", Severity.CONSENT)
