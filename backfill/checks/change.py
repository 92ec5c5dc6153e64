"""A change fits the table that it is for: its columns are there, may be written and take what is written."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Table

from backfill.checks.choices import model_choices, value_choice
from backfill.checks.lengths import model_lengths, value_length
from backfill.checks.types import model_types, value_type
from backfill.declaration.conditions import suggest
from backfill.declaration.models import columns_of_model, may_be_none
from backfill.declaration.writes import Projection, Shape, Verb, Write
from backfill.finding import Finding, Severity
from backfill.rows.insertion import is_held_unique, keeps_places
from backfill.rows.source import Source
from backfill.rows.tables import NoTable, key_of
from backfill.rows.target import Target


def check_change(source: Source, write: Write) -> Iterator[Finding]:
    """Everything that speaks against a change; values of the walked rows themselves are checked before the run."""
    shape = write.shape
    if shape.table in source.bound.looks_at and not shape.is_own:
        yield Finding(
            "looks-at-written",
            f"{_spell(shape)}: rows of {shape.table} are looked up too: what a batch sees depends on those before it",
            Severity.WARNING,
        )
    if shape.is_own and shape.verb is Verb.UPDATE:
        return
    what = _spell(shape)
    try:
        table = source.tables.find(shape.table)
    except NoTable as error:
        yield Finding("no-table", f"{what}: {error}")
        return
    unknown = [name for name in (*shape.match, *shape.absent, *shape.columns) if name not in table.c]
    for name in dict.fromkeys(unknown):
        hint = suggest(name, table.c.keys())
        yield Finding("writes-unknown", f"{what}: {table.fullname} has no column {name}.{hint}")
    if not unknown:
        yield from _columns(what, table, shape)
        yield from _values(table, write)
        yield from _dialect(source, table, shape)
        yield from _rivals(what, table, write)
        yield from _order(what, source, write)


def _columns(what: str, table: Table, shape: Shape) -> Iterator[Finding]:
    for name in shape.columns:
        column = table.c[name]
        if column.computed is not None:
            yield Finding("writes-generated", f"{what}: the database computes {table.fullname}.{name}; leave it out")
        if column.identity is not None and column.identity.always:
            yield Finding("writes-identity", f"{what}: {table.fullname}.{name} is GENERATED ALWAYS; leave it out")
        if not column.nullable and _may_be_null(shape, name):
            yield Finding("writes-null", f"{what}: {table.fullname}.{name} is NOT NULL, and None may be written to it")
    if shape.verb is Verb.UPDATE:
        for name in set(shape.columns) & {*key_of(table)}:
            yield Finding("writes-key", f"{what}: {name} is the key of {table.fullname}; insert another row instead")
    if shape.verb is Verb.INSERT:
        yield from _missing(what, table, shape)


def _rivals(what: str, table: Table, write: Write) -> Iterator[Finding]:
    """The application may insert the same row at the same moment; None from Python is no part of the match."""
    shape = write.shape
    if not shape.match or shape.verb is not Verb.INSERT:
        return
    columns = ", ".join(shape.match)
    several_nulls = isinstance(write.relation, Projection) and any(table.c[name].nullable for name in shape.match)
    if not is_held_unique(table, shape):
        why = f"no unique constraint of {table.fullname} holds {columns}"
    elif several_nulls:
        why = f"{columns} of {table.fullname} may be NULL, which a unique constraint lets in many times"
    else:
        return
    told = f"{what}: {why}, so the application may insert the same row at the same moment"
    yield Finding("match-not-unique", told, Severity.WARNING)


def _order(what: str, source: Source, write: Write) -> Iterator[Finding]:
    """Two rows of a select that match each other are one row; which of them it is, the walk alone can say."""
    shape, relation = write.shape, write.relation
    if not isinstance(source, Target) or not isinstance(relation, Projection) or relation.source is None:
        return
    may_differ = shape.match and set(shape.columns) > set(shape.match)
    if may_differ and not keeps_places(relation.source, source.table):
        yield Finding(
            "upsert-unordered",
            f"{what}: of two rows that match each other either may count, since what is DISTINCT, or is not selected "
            f"from {source.name} itself, stands in no order",
            Severity.WARNING,
        )


def _missing(what: str, table: Table, shape: Shape) -> Iterator[Finding]:
    for column in table.columns:
        has_default = (
            column.nullable or column.server_default is not None or column.computed is not None or column.identity
        )
        is_numbered = column is table.autoincrement_column
        if column.name not in shape.columns and not has_default and not is_numbered:
            model = f"{shape.model.__name__} has no such field" if shape.model else "it is not given"
            yield Finding(
                "insert-missing", f"{what}: {table.fullname}.{column.name} is NOT NULL without default and {model}"
            )


def _may_be_null(shape: Shape, column: str) -> bool:
    if shape.model is None:
        return False
    fields = {each: field for field, each in columns_of_model(shape.model).items()}
    return may_be_none(shape.model, fields[column])


def _values(table: Table, write: Write) -> Iterator[Finding]:
    if write.shape.model is not None:
        yield from model_types(table, write.shape.model)
        yield from model_lengths(table, write.shape.model)
        yield from model_choices(table, write.shape.model)
    elif isinstance(write.relation, Projection):
        for name, value in write.relation.values.items():
            if not isinstance(value, ColumnElement):
                for check in (value_type, value_length, value_choice):
                    yield from check(table, name, value)


def _dialect(source: Source, table: Table, shape: Shape) -> Iterator[Finding]:
    dialect, connection = source.database.dialect, source.database.connection
    yield from dialect.inspect_table(connection, table, shape.verb)
    if shape.verb is Verb.UPDATE:
        yield from dialect.inspect_writes(connection, table, shape.columns)
    if shape.verb is Verb.DELETE:
        yield from dialect.inspect_deletes(connection, table)


def _spell(shape: Shape) -> str:
    if shape.is_own:
        return f"{shape.verb.capitalize()}()"
    return f'{shape.verb.capitalize()}("{shape.table}")'
