"""Repeatability: whether running a transform again is harmless; derived, shown by plan, never promised by a flag."""

from __future__ import annotations

from dataclasses import dataclass

from backfill.declaration.conditions import Condition, requires_missing
from backfill.declaration.form import Bound
from backfill.declaration.writes import Verb


@dataclass(frozen=True)
class Repeatability:
    """Whether a second application changes nothing, and why."""

    by_nature: bool
    """False: only the checkpoint makes it exactly once, so a finished run is never repeated unasked."""
    shrinks: bool
    """`where` asks about what is written, so the data itself says which rows are left."""
    reason: str
    asks: bool = False
    """`where` asks about what is written, whether or not a second application is harmless."""


def derive_repeatability(
    bound: Bound,
    where: Condition | None,
    filtered: frozenset[str],
    looked_at: frozenset[str] = frozenset(),
    walked: str | None = None,
) -> Repeatability:
    """What the columns read, written and filtered on prove about a second application.

    Args:
        bound: the form, tied to the table.
        where: the condition as it was declared.
        filtered: the columns that the condition looks at.
        looked_at: the other tables whose rows it looks at, the walked one among them if through an alias.
        walked: the table.
    """
    written = frozenset(bound.writes)
    asks = bool(filtered & written)
    if unproven := _unproven(bound):
        return Repeatability(False, False, unproven, asks)
    reread = ", ".join(sorted(bound.reads & written))
    leaves = requires_missing(where) & bound.never_null if where is not None else frozenset()
    shrinks = asks or _asks_about_changes(bound, looked_at)
    if not leaves and looks_at_its_own(bound, looked_at, walked):
        return Repeatability(False, False, f"it looks at other rows of {walked}, which it writes", asks)
    if bound.links and not leaves:
        return Repeatability(False, False, "it inserts the rows whose keys it writes", asks)
    if not reread:
        return Repeatability(True, shrinks, "it reads nothing that it writes", asks)
    if leaves:
        return Repeatability(True, True, f"a written row has {', '.join(sorted(leaves))} and is not taken again", asks)
    return Repeatability(False, False, f"it reads {reread}, which it writes", asks)


def _unproven(bound: Bound) -> str | None:
    """Why nothing can be said beforehand of a second application."""
    if bound.performs:
        return "what a step does is known to its run alone"
    if bound.is_stateful:
        return "it carries a state from batch to batch"
    if bound.shapes is None:
        return "which changes it returns is known to its run alone"
    inserted = [shape for shape in bound.shapes if shape.verb is Verb.INSERT]
    if unmatched := [shape.table for shape in inserted if not (shape.match or shape.absent)]:
        return f"it inserts into {unmatched[0]} without match="
    changed = {shape.table for shape in bound.shapes if shape.verb is not Verb.INSERT and not shape.is_own}
    if met_again := changed.intersection(shape.table for shape in inserted):
        return f"it inserts into {min(met_again)} and changes rows of it"
    return None


def looks_at_its_own(bound: Bound, looked_at: frozenset[str], walked: str | None) -> bool:
    """Whether what becomes of a row depends on other walked rows, which are not what they were when it comes to it."""
    writes_own = bool(bound.writes) or any(shape.is_own for shape in bound.shapes or ())
    return writes_own and walked in bound.looks_at | looked_at


def _asks_about_changes(bound: Bound, looked_at: frozenset[str]) -> bool:
    """Whether the condition looks at rows that are inserted, updated or deleted."""
    return any(shape.is_own or shape.table in looked_at for shape in bound.shapes or ())
