"""Repeatability: whether running a transform again is harmless; derived, shown by plan, never promised by a flag."""

from __future__ import annotations

from dataclasses import dataclass

from backfill.declaration.conditions import Condition, requires_missing
from backfill.declaration.form import Bound


@dataclass(frozen=True)
class Repeatability:
    """Whether a second application changes nothing, and why."""

    by_nature: bool
    """False: only the checkpoint makes it exactly once, so a finished run is never repeated unasked."""
    shrinks: bool
    """`where` asks about what is written, so the data itself says which rows are left."""
    reason: str


def derive_repeatability(bound: Bound, where: Condition | None, filtered: frozenset[str]) -> Repeatability:
    """What the columns read, written and filtered on prove about a second application.

    Args:
        bound: the form, tied to the table.
        where: the condition as it was declared.
        filtered: the columns that the condition looks at.
    """
    written = frozenset(bound.writes)
    reread = ", ".join(sorted(bound.reads & written))
    leaves = requires_missing(where) & bound.never_null if where is not None else frozenset()
    if not reread:
        return Repeatability(True, bool(filtered & written), "it reads nothing that it writes")
    if leaves:
        return Repeatability(True, True, f"a written row has {', '.join(sorted(leaves))} and is not taken again")
    return Repeatability(False, False, f"it reads {reread}, which it writes")
