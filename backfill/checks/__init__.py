"""Preflight: one check a file, in the order in which their findings are told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from backfill.checks import choices, key, ledger, lengths, reads, server, statement, table, types, writes
from backfill.errors import ChecksFailed
from backfill.finding import Finding, Severity
from backfill.target import Target

Check = Callable[[Target], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    server.check_server,
    table.check_table,
    key.check_key,
    reads.check_reads,
    writes.check_writes,
    types.check_types,
    lengths.check_lengths,
    choices.check_choices,
    ledger.check_ledger,
    statement.check_statement,
)


def inspect_targets(targets: Sequence[Target]) -> list[Finding]:
    """Everything that the checks find, each finding once."""
    found = (finding for target in targets for check in CHECKS for finding in _findings(check, target))
    return list(dict.fromkeys(found))


def preflight(targets: Sequence[Target], accept: Collection[str] = ()) -> list[Finding]:
    """Refuse what would lose rows, and what touches more than the definition says unless `accept` names its code.

    Returns:
        The findings that do not stand in the way.

    Raises:
        ChecksFailed: with every finding that does.
    """
    findings = inspect_targets(targets)
    blocking = [finding for finding in findings if _blocks(finding, accept)]
    if blocking:
        raise ChecksFailed(targets[0].transform.name, blocking)
    return findings


def _findings(check: Check, target: Target) -> list[Finding]:
    with target.database.faults():
        return list(check(target))


def _blocks(finding: Finding, accept: Collection[str]) -> bool:
    if finding.severity is Severity.CONSENT:
        return finding.code not in accept
    return finding.severity is Severity.REFUSAL
