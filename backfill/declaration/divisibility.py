"""Divisibility: whether several workers may walk a table at once; derived, shown by plan, never promised by a flag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backfill.declaration.definition import Definition
from backfill.declaration.form import Bound
from backfill.declaration.writes import Shape, Verb


@dataclass(frozen=True)
class Divisibility:
    """Whether the end state is the same in whatever order the rows are taken, and why."""

    is_divisible: bool
    reason: str


UNDIVIDED = Divisibility(False, "it is done at once")
"""Of what has no rows to walk."""


def derive_divisibility(
    definition: Definition,
    bound: Bound,
    walked: str,
    looked_at: frozenset[str],
    is_held_unique: Callable[[Shape], bool],
    *,
    is_handed_connection: bool = False,
) -> Divisibility:
    """What a definition proves about rows that are taken in another order, or at the same time.

    Args:
        definition: the transform's.
        bound: its form, tied to the table.
        walked: the table.
        looked_at: the other tables whose rows the condition looks at, the walked one among them if through an alias.
        is_held_unique: whether the database holds what an insert is matched by unique.
        is_handed_connection: the function may look up what it likes.
    """
    unproven = _order(definition, bound) or _looks(bound, walked, looked_at)
    if is_handed_connection:
        unproven = unproven or "it looks rows up by itself"
    for shape in bound.shapes or ():
        unproven = unproven or _change(shape, walked, is_held_unique)
    return Divisibility(False, unproven) if unproven else Divisibility(True, "no row's values depend on another's")


def _order(definition: Definition, bound: Bound) -> str | None:
    """Why rows have to be taken one after the other."""
    if bound.performs:
        return "what a step does is known to its run alone"
    if bound.is_stateful:
        return "it carries a state from batch to batch"
    if definition.group_by == ():
        return "all rows are one group"
    if definition.order_by and definition.group_by is None:
        return "its rows are taken in an order"
    if bound.shapes is None or bound.links:
        return "which changes it returns is known to its run alone"
    return None


def _looks(bound: Bound, walked: str, looked_at: frozenset[str]) -> str | None:
    """Why a row's values depend on what was done to others before."""
    written = {shape.table for shape in bound.shapes or ()} | ({walked} if bound.writes else set())
    both = written & (bound.looks_at | looked_at)
    return f"it looks at rows of {min(both)}, which it writes" if both else None


def _change(shape: Shape, walked: str, is_held_unique: Callable[[Shape], bool]) -> str | None:
    """Why the order of two changes of one kind matters."""
    if shape.is_own:
        return None
    if shape.table == walked:
        return f"it changes other rows of {walked} than those it walks"
    if shape.verb is Verb.UPDATE or shape.refresh:
        return f"of two updates of one row of {shape.table} the last counts"
    if shape.verb is Verb.INSERT and (shape.match or shape.absent):
        if not is_held_unique(shape):
            return f"nothing holds {', '.join((*shape.match, *shape.absent))} of {shape.table} unique"
        if set(shape.columns) - set(shape.match):
            return f"of two rows for one of {shape.table} the first counts"
    return None
