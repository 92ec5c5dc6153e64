"""Preflight: one check a file, in the order in which their findings are told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from backfill.checks import (
    change,
    choices,
    groups,
    key,
    ledger,
    lengths,
    looks,
    reads,
    server,
    statement,
    table,
    types,
    writes,
)
from backfill.declaration.writes import Shape, Write
from backfill.errors import ChecksFailed
from backfill.finding import Finding, Severity
from backfill.rows.source import Source
from backfill.rows.target import Target

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
    groups.check_groups,
    looks.check_looks,
)


class Examination:
    """Looks at sources before the first batch, and at each new kind of change before it is first made."""

    def __init__(self, accept: Collection[str] = ()) -> None:
        self.accepted = tuple(accept)
        self._known: set[Shape] = set()

    def admit(self, source: Source, writes: Iterable[Write]) -> list[Finding]:
        """Refuse changes that do not fit the table they are for; each kind is looked at once.

        Returns:
            What is worth knowing of the kinds that are new.

        Raises:
            ChecksFailed: with every finding that stands in the way.
        """
        warnings: list[Finding] = []
        for write in writes:
            if write.shape not in self._known:
                findings = list(change.check_change(source, write))
                self.refuse(source.transform.name, findings)
                self._known.add(write.shape)
                warnings += (each for each in findings if each.severity is Severity.WARNING)
        return warnings

    def remember(self, shapes: Iterable[Shape]) -> None:
        """Take these for looked at."""
        self._known.update(shapes)

    def refuse(self, name: str, findings: Sequence[Finding]) -> None:
        """Raise ChecksFailed if a finding stands in the way."""
        blocking = [finding for finding in findings if _blocks(finding, self.accepted)]
        if blocking:
            raise ChecksFailed(name, blocking)


def inspect_sources(sources: Sequence[Source]) -> list[Finding]:
    """Everything that the checks find, each finding once."""
    return list(dict.fromkeys(finding for source in sources for finding in _findings(source)))


def preflight(sources: Sequence[Source], examination: Examination) -> list[Finding]:
    """Refuse what would lose rows, and what touches more than the definition says unless its code is accepted.

    Returns:
        The findings that do not stand in the way.

    Raises:
        ChecksFailed: with every finding that does.
    """
    findings = inspect_sources(sources)
    examination.refuse(sources[0].transform.name, findings)
    examination.remember(write.shape for source in sources for write in source.bound.foreknown)
    return findings


def _findings(source: Source) -> list[Finding]:
    with source.database.faults():
        if isinstance(source, Target):
            return [finding for check in CHECKS for finding in check(source)]
        changes = (each for write in source.bound.foreknown for each in change.check_change(source, write))
        return [*server.check_server(source), *ledger.check_ledger(source), *changes]


def _blocks(finding: Finding, accept: Collection[str]) -> bool:
    if finding.severity is Severity.CONSENT:
        return finding.code not in accept
    return finding.severity is Severity.REFUSAL
