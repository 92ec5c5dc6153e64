"""Every written column is there, may be written, and takes what is written."""

from collections.abc import Iterator

from backfill.declaration.adaptation import columns_of
from backfill.declaration.conditions import suggest
from backfill.finding import Finding
from backfill.rows.target import Target

_ADVICE = "give the field a type without None, or let the function return None for the whole row, which leaves it"


def check_writes(target: Target) -> Iterator[Finding]:
    """Unknown, generated and key columns, and NULL for a column that refuses it."""
    for name in target.bound.writes:
        yield from _check(target, name)
    yield from target.database.dialect.inspect_writes(target.database.connection, target.table, target.bound.writes)


def _check(target: Target, name: str) -> Iterator[Finding]:
    what = f"{target.transform.name} writes {target.name}.{name}"
    if name not in target.table.c:
        hint = suggest(name, target.table.c.keys())
        yield Finding("writes-unknown", f"{what}; {target.name} has no such column.{hint}")
        return
    column = target.table.c[name]
    walked = {column for place in target.walk.columns for column in columns_of(place, target.table)}
    if name in walked - {*target.key}:
        yield Finding(
            "writes-walked",
            f"{what}, by which it walks: a row could be met again in its new place. Small table: group_by=(). "
            "Else: step",
        )
    if name in target.key:
        yield Finding("writes-key", f"{what}, by which it walks: a row could be met again under its new key")
    if column.computed is not None:
        yield Finding("writes-generated", f"{what}, which the database computes: leave it out of the output model")
    if column.identity is not None and column.identity.always:
        yield Finding("writes-identity", f"{what}, which is GENERATED ALWAYS: only the database writes it")
    if not column.nullable and _may_be_null(target, name):
        yield Finding("writes-null", f"{what}, which is NOT NULL, and None may be written to it: {_ADVICE}")


def _may_be_null(target: Target, name: str) -> bool:
    if target.bound.fetches is None:  # of an SQL expression only the database knows
        return name in target.bound.literals and target.bound.literals[name] is None
    return name not in target.bound.never_null
