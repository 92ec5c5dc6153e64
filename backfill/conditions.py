"""Conditions: which rows a transform takes, as SQLAlchemy expressions tied to the live table.

A condition is written before any table is reflected, with light `column("x")` and `table("t", column("x"))`
objects. `adapt` replaces them by the columns of the walked table, so that types are right, subqueries stay
correlated, and nothing that is only text can reach beyond the batch.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Boolean, Column, ColumnElement, SelectBase, Table, and_, column
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ClauseElement,
    ColumnClause,
    Grouping,
    Null,
    TextClause,
)
from sqlalchemy.sql.selectable import AliasedReturnsRows, Exists, TableClause

from backfill.errors import DeclarationError

Condition = ColumnElement[bool]

_COMPARISONS = {
    operators.eq,
    operators.ne,
    operators.lt,
    operators.le,
    operators.gt,
    operators.ge,
    operators.in_op,
    operators.not_in_op,
}


class Missing(ColumnElement[bool]):
    """`is_missing(column)`, until the column's type says whether JSON null counts too."""

    inherit_cache = True
    __visit_name__ = "missing"
    _traverse_internals = [("column_name", visitors.InternalTraversal.dp_string)]
    type = Boolean()

    def __init__(self, column_name: str) -> None:
        self.column_name = column_name

    def self_group(self, against: Any = None) -> Missing:
        """A condition already: inside AND and OR it needs no comparison with true."""
        return self


@compiles(Missing)  # type: ignore[no-untyped-call, untyped-decorator, unused-ignore]
def _show_missing(element: Missing, compiler: Any, **kw: Any) -> str:
    return f"{compiler.process(column(element.column_name), **kw)} IS MISSING"


def is_missing(column_name: str) -> Condition:
    """The rows in which `column_name` holds nothing: SQL NULL, and in a JSON column JSON null as well."""
    return Missing(column_name)


def from_mapping(wanted: Mapping[str, Any]) -> Condition:
    """A JSON `where`: null means missing, a list means one of, anything else means equal; all must hold."""
    if not wanted:
        raise ValueError('"where" is empty: leave it out to take every row')
    return and_(*(_from_item(name, value) for name, value in wanted.items()))


def _from_item(name: str, value: Any) -> Condition:
    if value is None:
        return is_missing(name)
    if isinstance(value, list):
        return column(name).in_(value)
    if isinstance(value, dict):
        raise ValueError(f'"where": {name}: an object cannot be compared; use a scalar, a list of scalars or null')
    equal: Condition = column(name) == value
    return equal


def render(condition: Condition) -> str:
    """The condition as people read it; for display and fingerprints, never executed."""
    try:
        text = str(condition.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    except Exception:  # a type without literal form: any fault of rendering only costs readability
        compiled = condition.compile(dialect=sqlite.dialect())
        text = f"{compiled} {sorted(compiled.params.items())}"
    return " ".join(text.split())


def adapt(
    expression: ColumnElement[Any], walked: Table, missing: Callable[[Column[Any]], Condition]
) -> ColumnElement[Any]:
    """The expression over the columns of `walked`, in parentheses of its own.

    `missing` gives the condition for an empty column in the dialect at hand. Raises DeclarationError for a
    column that the table does not have, for raw text, and for a subquery whose tie to the table is not plain.
    """
    _refuse_text(expression)
    _refuse_loose_subqueries(expression, walked)
    comparands = dict(_comparands(expression, walked))

    def replace(element: Any, **_: Any) -> Any:
        if isinstance(element, Missing):
            return missing(_resolve(element.column_name, walked))
        if isinstance(element, BindParameter) and element in comparands:
            return _retyped(element, comparands[element])
        if isinstance(element, ColumnClause) and _is_walked_column(element, walked):
            return _resolve(element.name, walked)
        if isinstance(element, TableClause) and _is_walked(element, walked):
            return walked
        if isinstance(element, AliasedReturnsRows):
            return element  # an alias is a table of its own: the user said so
        return None

    adapted: Any = visitors.replacement_traverse(expression, {}, replace)
    return Grouping(adapted)  # TextClause in and_() gets no parentheses of its own, and an OR would escape the range


def columns_of(condition: Any, walked: Table) -> frozenset[str]:
    """The columns of `walked` that an adapted expression looks at."""
    elements: Iterable[Any] = visitors.iterate(condition)
    return frozenset(
        element.name for element in elements if isinstance(element, ColumnClause) and _is_walked_column(element, walked)
    )


def has_subquery(expression: ClauseElement) -> bool:
    """Whether evaluating the expression reads other rows than the one it stands for."""
    return any(isinstance(element, SelectBase) for element in visitors.iterate(expression))


def conjuncts(condition: Any) -> Iterator[Any]:
    """The parts that must all hold."""
    while isinstance(condition, Grouping):
        condition = condition.element
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for clause in condition.clauses:
            yield from conjuncts(clause)
    else:
        yield condition


def requires_missing(condition: Any) -> frozenset[str]:
    """Columns that must be missing for a row to be taken (as written, before adaptation)."""
    return frozenset(_required(condition, operators.is_)) | frozenset(
        part.column_name for part in conjuncts(condition) if isinstance(part, Missing)
    )


def requires_present(condition: Any) -> frozenset[str]:
    """Columns that must not be NULL for a row to be taken."""
    return frozenset(_required(condition, operators.is_not))


def suggest(name: str, known: Iterable[str]) -> str:
    """' Did you mean x?', or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]}?" if close else ""


def _required(condition: Any, operator: Any) -> Iterator[str]:
    for part in conjuncts(condition):
        if (
            isinstance(part, BinaryExpression)
            and part.operator is operator
            and isinstance(part.left, ColumnClause)
            and isinstance(part.right, Null)
        ):
            yield part.left.name


def _refuse_text(condition: Any) -> None:
    for element in visitors.iterate(condition):
        if isinstance(element, TextClause) or (isinstance(element, ColumnClause) and element.is_literal):
            raise DeclarationError(
                "raw SQL text could reach rows outside the batch: "
                'write it as an expression, such as column("state") == "open"'
            )


def _refuse_loose_subqueries(condition: Any, walked: Table) -> None:
    for element in visitors.iterate(condition):
        if isinstance(element, SelectBase):
            _refuse_bare_columns(element, walked)
        if isinstance(element, Exists) and not _mentions(element, walked):
            raise DeclarationError(
                f"an EXISTS does not mention {walked.name}, so it is true or false for all rows at "
                f'once: compare with table("{walked.name}", column("...")).c[...] inside it'
            )


def _refuse_bare_columns(subquery: Any, walked: Table) -> None:
    elements: Iterable[Any] = visitors.iterate(subquery)
    for element in elements:
        bare = isinstance(element, ColumnClause) and element.table is None and not element.is_literal
        if bare or isinstance(element, Missing):
            name = element.column_name if isinstance(element, Missing) else element.name
            raise DeclarationError(
                f'column("{name}") stands inside a subquery, and its table is not plain: '
                f'write table("{walked.name}", column("{name}")).c.{name} for the walked table, or the other table\'s name'
            )


def _mentions(subquery: Any, walked: Table) -> bool:
    return any(
        isinstance(element, ColumnClause)
        and isinstance(element.table, TableClause)
        and _is_walked(element.table, walked)
        for element in visitors.iterate(subquery)
    )


def _is_walked(candidate: TableClause, walked: Table) -> bool:
    if candidate is walked:
        return True
    schema = getattr(candidate, "schema", None)
    return candidate.name == walked.name and schema in (None, walked.schema)


def _is_walked_column(element: ColumnClause[Any], walked: Table) -> bool:
    if element.table is None:
        return not element.is_literal
    return isinstance(element.table, TableClause) and _is_walked(element.table, walked)


def _resolve(name: str, walked: Table) -> Column[Any]:
    if name not in walked.c:
        raise DeclarationError(
            f"{walked.name}.{name} is asked for; {walked.name} has no such column.{suggest(name, walked.c.keys())}"
        )
    return walked.c[name]


def _comparands(condition: Any, walked: Table) -> Iterator[tuple[BindParameter[Any], Column[Any]]]:
    """Values compared with a walked column: they must be bound with the column's own type."""
    for element in visitors.iterate(condition):
        if isinstance(element, BinaryExpression) and element.operator in _COMPARISONS:
            for one, other in ((element.left, element.right), (element.right, element.left)):
                if (
                    isinstance(one, ColumnClause)
                    and isinstance(other, BindParameter)
                    and _is_walked_column(one, walked)
                ):
                    yield other, _resolve(one.name, walked)


def _retyped(value: BindParameter[Any], like: Column[Any]) -> BindParameter[Any]:
    return BindParameter(None, value.value, type_=like.type, unique=True, expanding=value.expanding)
