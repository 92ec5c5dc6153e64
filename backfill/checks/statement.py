"""The database understands the statements before the first of them is run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, ColumnElement, literal, select, update
from sqlalchemy.exc import CompileError, DBAPIError, InvalidRequestError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable

from backfill.checks.change import check_change
from backfill.declaration.aggregation import has_window
from backfill.declaration.writes import Projection, Verb
from backfill.finding import Finding, Severity
from backfill.rows.target import Target


class Explain(Executable, ClauseElement):
    """EXPLAIN of a statement: the database reads it, finds its plan, and does nothing."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement
        self._inline = False  # what the compiler asks of every statement that writes
        self._return_defaults = False


@compiles(Explain)  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _explain(element: Explain, compiler: Any, **kw: Any) -> str:
    return f"EXPLAIN {compiler.process(element.statement, **kw)}"


def check_statement(target: Target) -> Iterator[Finding]:
    """Expressions whose types, functions or subqueries the database refuses, and rights that are missing."""
    matching = select(literal(1)).select_from(target.table).where(target.where)
    yield from _check(target, "the condition", matching)
    yield from _check_changes(target)
    if values := {column: _expressions(target).get(column.name, column) for column in _writable(target)}:
        yield from _check(target, "what is written", update(target.table).where(target.where).values(values))


def _writable(target: Target) -> list[Column[Any]]:
    columns = [target.table.c[name] for name in target.bound.writes if name in target.table.c]
    return [column for column in columns if column.computed is None and column.identity is None]


def _expressions(target: Target) -> dict[str, ColumnElement[Any]]:
    own = (write.relation for write in target.bound.foreknown if write.shape.is_own)
    values = (item for each in own if isinstance(each, Projection) for item in each.values.items())
    return {name: value for name, value in values if isinstance(value, ColumnElement) and not has_window(value)}


def _check_changes(target: Target) -> Iterator[Finding]:
    """Changes whose relation stays in the database; their tables and columns first."""
    for write in target.bound.foreknown:
        if not (write.shape.is_own and write.shape.verb is Verb.UPDATE):
            findings = list(check_change(target, write))
            yield from findings
            is_sound = all(each.severity is Severity.WARNING for each in findings)
            for effect in target.projector.effects(write, target.where) if is_sound else ():
                yield from _check(target, "what is written", effect.statement)


def _check(target: Target, what: str, statement: Any) -> Iterator[Finding]:
    try:
        target.database.connection.execute(Explain(statement)).close()
    except DBAPIError as error:
        code = target.database.dialect.classify(error)[1]
        yield Finding(
            "statement",
            f"{what} of {target.transform.name} is refused by the database ({code}): "
            "see to its types and names, and to this user's rights",
        )
    except (CompileError, InvalidRequestError) as error:
        yield Finding("statement", f"{what} of {target.transform.name} cannot be written as SQL: {error}")
