"""Every written column is there, may be written, and takes what is written."""

from collections.abc import Iterator

from backfill.conditions import suggest
from backfill.finding import Finding
from backfill.target import Target


def check_writes(target: Target) -> Iterator[Finding]:
    """Unknown, generated and key columns, and NULL for a column that refuses it."""
    for name in target.bound.writes:
        yield from _check(target, name)


def _check(target: Target, name: str) -> Iterator[Finding]:
    what = f"{target.transform.name} writes {target.name}.{name}"
    if name not in target.table.c:
        hint = suggest(name, target.table.c.keys())
        yield Finding("writes-unknown", f"{what}; {target.name} has no such column.{hint}")
        return
    column = target.table.c[name]
    if name in target.key:
        yield Finding("writes-key", f"{what}, by which it walks: a row could be met again under its new key")
    if column.computed is not None:
        yield Finding("writes-generated", f"{what}, which the database computes: leave it out of the output model")
    if not column.nullable and _may_be_null(target, name):
        yield Finding("writes-null", f"{what}, which is NOT NULL, and the output model allows None for it")


def _may_be_null(target: Target, name: str) -> bool:
    is_declared = bool(target.transform.form.outputs)  # of an SQL expression only the database knows
    return is_declared and name not in target.bound.never_null
