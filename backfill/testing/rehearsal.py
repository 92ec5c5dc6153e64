"""Rehearsal: a transform run for real on the rows of a test, with the laws proved on the way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, overload

from sqlalchemy import Engine, MetaData

from backfill.declaration.decorator import Transform
from backfill.errors import BackfillError, ChecksFailed, Refused
from backfill.testing.blueprint import draw_table
from backfill.testing.contents import Contents
from backfill.testing.end import Row
from backfill.testing.law import LawBroken
from backfill.testing.proofs import LAWS
from backfill.testing.scratch import ACCEPTED, scratch
from backfill.testing.stage import Stage


@overload
def rehearse(  # noqa: D418  # every public name has its sentence
    transform: Transform[..., Any],
    rows: Sequence[Row],
    engine: Engine | None = None,
    *,
    fresh: Collection[str] = (),
    accept: Collection[str] = (),
) -> list[Row]:
    """Rows of the one table that the transform walks."""


@overload
def rehearse(  # noqa: D418  # every public name has its sentence
    transform: Transform[..., Any],
    rows: Contents,
    engine: Engine | None = None,
    *,
    fresh: Collection[str] = (),
    accept: Collection[str] = (),
) -> dict[str, list[Row]]:
    """Rows of several tables."""


def rehearse(
    transform: Transform[..., Any],
    rows: Sequence[Row] | Contents,
    engine: Engine | None = None,
    *,
    fresh: Collection[str] = (),
    accept: Collection[str] = (),
) -> list[Row] | dict[str, list[Row]]:
    """Run the transform on these rows, prove the laws on the way, and give the rows at the end.

    Args:
        transform: what becomes of the rows.
        rows: rows of the table that it walks; or of several tables by name, those that others refer to first.
        engine: a database made for tests, in which the tables are there and empty, as they are again afterwards.
            Without one, tables are made from the models and the rows in a throw-away SQLite file.
        fresh: columns that are new each time, such as a random token; only that they have a value is compared.
        accept: codes of preflight findings that are meant, such as "trigger".

    Returns:
        The rows at the end of an undisturbed run, in the order of their keys: a list, or a list by table.

    Raises:
        LawBroken: the transform breaks a law; the message says which, and at which row.
        BackfillError: the transform cannot be run on these tables and rows.
    """
    __tracebackhide__ = True
    try:
        with staged(transform, by_table(transform, rows), engine, fresh=fresh, accept=accept) as stage:
            for law in LAWS:
                law.require(stage)
            found = {name: list(each) for name, each in stage.result.items()}
    except (LawBroken, BackfillError) as error:
        raise error.with_traceback(None) from None  # it is about the author's code, and says where
    return found if isinstance(rows, Mapping) else next(iter(found.values()))


@contextmanager
def staged(
    transform: Transform[..., Any],
    rows: Contents,
    engine: Engine | None = None,
    *,
    fresh: Collection[str] = (),
    accept: Collection[str] = (),
) -> Iterator[Stage]:
    """The transform and its rows on an engine, or on the throw-away file."""
    if engine is not None:
        with Stage(engine, transform, rows, fresh=fresh, accept=accept) as stage:
            yield stage
        return
    metadata = MetaData()
    for name, given in rows.items():
        draw_table(metadata, transform, name, given)
    with scratch(metadata) as drawn, Stage(drawn, transform, rows, fresh=fresh, accept=(*ACCEPTED, *accept)) as stage:
        try:
            yield stage
        except ChecksFailed as error:
            error.add_note(
                "The test's tables are made from the models and rows that were given. Where that is not enough, give "
                "rows of each table by its name, or a database that has the tables."
            )
            raise


def by_table(transform: Transform[..., Any], rows: Sequence[Row] | Contents) -> Contents:
    """The rows by table; a list is those of the one table that the transform walks."""
    if isinstance(rows, Mapping):
        return rows
    tables = transform.definition.tables_walked
    if len(tables) != 1:
        raise Refused(
            f"{transform.name} walks {len(tables)} tables, so its rows are given by table: "
            f'{{"{next(iter(tables), "table")}": [...]}}',
            code="rehearse-tables",
        )
    return {tables[0]: rows}
