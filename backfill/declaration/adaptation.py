"""Adaptation: a user's expression, tied to the table that is walked.

An expression is written before any table is reflected, with light `column("x")` and `table("t", column("x"))`
objects, or with a project's own models. Here they become the columns of the walked table, so that types are right,
subqueries stay correlated at any depth, and nothing reaches rows outside the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, FromClause, Select, SelectBase, Table, select
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BindParameter, ClauseElement, ColumnClause, Grouping
from sqlalchemy.sql.selectable import Alias, AliasedReturnsRows, Exists, Join, ScalarSelect, TableClause

from backfill.declaration.conditions import NO_TEXT, Condition, Missing, has_text, suggest
from backfill.declaration.values import comparands
from backfill.errors import DeclarationError

Find = Callable[[TableClause], Table | None]
"""Gives the live table that a light `table("t", ...)` names; None leaves it as it is written."""


def adapt(
    expression: ColumnElement[Any],
    walked: Table,
    missing: Callable[[Column[Any]], Condition],
    find: Find = lambda _: None,
) -> ColumnElement[Any]:
    """The expression over the columns of `walked`, in parentheses of its own.

    `missing` gives the condition for an empty column in the dialect at hand. Raises DeclarationError for a
    column that the table does not have, for raw text, for another table outside a subquery, and for a subquery
    whose tie to the table is not plain.
    """
    _refuse_text(expression)
    _refuse_loose_subqueries(expression, walked)
    outside = dict(_correlations(expression, walked))
    adapted = _Adaptation(walked, missing, find, outside).of(expression)
    _refuse_other_tables(adapted, walked)
    return Grouping(adapted)  # TextClause in and_() gets no parentheses of its own, and an OR would escape the range


def adapt_select(
    statement: Select[Any],
    walked: Table,
    missing: Callable[[Column[Any]], Condition],
    find: Find = lambda _: None,
) -> Select[Any]:
    """The select, in which `walked` stands among the tables it reads, so that a batch's range can be added to it.

    Raises DeclarationError for raw text, and where it does not speak of the walked table.
    """
    _refuse_text(statement)
    _refuse_bare_columns(statement, walked)
    sources = tuple(statement.get_final_froms())
    outside = {
        inner: tables for child in statement.get_children() for inner, tables in _correlations(child, walked, sources)
    }
    adapted: Select[Any] = _Adaptation(walked, missing, find, outside).of(statement)
    if not any(part is walked for source in adapted.get_final_froms() for part in visitors.iterate(source)):
        raise DeclarationError(
            f"a select does not speak of {walked.name}, so every row would get all of its rows: compare a column with "
            f'table("{walked.name}", column("...")).c[...] in its where()',
            code="select-loose",
        )
    return adapted


def selects_from(statement: Select[Any], table: Table) -> bool:
    """Whether the table stands in the select's FROM itself, alone or joined, and not in a select inside."""
    return any(table in each._from_objects for each in statement.get_final_froms())


def narrowed(statement: Select[Any], walked: Table, scope: Condition) -> Select[Any]:
    """An adapted select that sees, at any depth, only those rows of `walked` that are in scope."""
    rows = select(walked).where(scope).subquery(walked.name)

    def replace(element: Any, **_: Any) -> Any:
        if element is walked:
            return rows
        return rows.c[element.name] if isinstance(element, Column) and element.table is walked else None

    seen: Any = visitors.replacement_traverse(statement, {}, replace)
    return cast(Select[Any], seen)


class _Adaptation:
    """The replacement of one expression's light parts by live ones."""

    def __init__(
        self,
        walked: Table,
        missing: Callable[[Column[Any]], Condition],
        find: Find,
        outside: dict[Select[Any], list[FromClause]],
    ) -> None:
        self._walked = walked
        self._missing = missing
        self._find = find
        self._outside = outside
        self._aliases: dict[AliasedReturnsRows, FromClause] = {}
        self._retyped: dict[BindParameter[Any], BindParameter[Any]] = {}

    def of(self, expression: Any) -> Any:
        """The expression with its light parts replaced."""
        self._retyped = comparands(expression, self._column)
        return visitors.replacement_traverse(expression, {}, self._replace)

    def _replace(self, element: Any, **_: Any) -> Any:
        if isinstance(element, BindParameter):
            return self._retyped.get(element)
        if isinstance(element, Missing):
            return Grouping(self._missing(resolve(element.column_name, self._walked)))  # it may be an OR
        if isinstance(element, Select) and (correlated := self._outside.pop(element, None)):
            return visitors.replacement_traverse(element.correlate(*correlated), {}, self._replace)
        if isinstance(element, AliasedReturnsRows):
            return self._alias(element)
        if isinstance(element, TableClause):
            return self._table(element)
        return self._column(element)

    def _alias(self, alias: AliasedReturnsRows) -> FromClause:
        """An alias is a table of its own; one of a light table becomes one of the live table."""
        if alias not in self._aliases:
            live = self._table(alias.element) if isinstance(alias, Alias) else None
            is_light = live is not None and isinstance(alias, Alias) and live is not alias.element
            self._aliases[alias] = live.alias(alias.name) if live is not None and is_light else alias
        return self._aliases[alias]

    def _table(self, table: Any) -> Table | None:
        if _is_walked(table, self._walked):
            return self._walked
        return self._find(table) if isinstance(table, TableClause) and not isinstance(table, Table) else None

    def _column(self, element: Any) -> Column[Any] | None:
        if _is_walked_column(element, self._walked):
            return resolve(element.name, self._walked)
        source = element.table if isinstance(element, ColumnClause) and not element.is_literal else None
        live = self._alias(source) if isinstance(source, AliasedReturnsRows) else self._table(source)
        if live is None or live is source:
            return None
        if element.name not in live.c:
            raise DeclarationError(
                f"{live.name}.{element.name} is asked for; {live.name} has no such column."  # type: ignore[attr-defined]
                f"{suggest(element.name, live.c.keys())}",
                code="unknown-looked-up",
            )
        found: Column[Any] = live.c[element.name]
        return found


def _refuse_text(expression: Any) -> None:
    if has_text(expression):
        raise DeclarationError(NO_TEXT, code="raw-sql")


def columns_of(condition: Any, walked: Table) -> frozenset[str]:
    """The columns of `walked` that an adapted expression looks at."""
    elements: Iterable[Any] = visitors.iterate(condition)
    return frozenset(element.name for element in elements if _is_walked_column(element, walked))


def tables_of(expression: ClauseElement, walked: Table) -> frozenset[str]:
    """The tables whose rows an expression looks at beside the walked row itself; `walked` too, through an alias."""
    names = set[str]()
    for element in visitors.iterate(expression):
        source = element.element if isinstance(element, Alias) else element
        if isinstance(source, TableClause) and (source is not walked or source is not element):
            names.add(source.fullname)
    return frozenset(names)


def has_subquery(expression: ClauseElement) -> bool:
    """Whether evaluating the expression reads other rows than the one it stands for."""
    return any(isinstance(element, SelectBase) for element in visitors.iterate(expression))


def resolve(name: str, walked: Table) -> Column[Any]:
    """The walked table's column of this name; raises DeclarationError, with the nearest name, where there is none."""
    if name not in walked.c:
        raise DeclarationError(
            f"{walked.name}.{name} is asked for; {walked.name} has no such column.{suggest(name, walked.c.keys())}",
            code="unknown-column",
        )
    return walked.c[name]


def _refuse_loose_subqueries(element: Any, walked: Table, outer: tuple[FromClause, ...] = ()) -> None:
    if isinstance(element, SelectBase | Exists):
        _refuse_bare_columns(element, walked)
    if isinstance(element, Exists) and not _is_tied(element, walked, outer):
        raise DeclarationError(
            f"an EXISTS is not tied to {walked.name}, so it is true or false for all rows at once: compare a column of "
            f'its own table with table("{walked.name}", column("...")).c[...] inside it, without a join; rows of '
            f"{walked.name} itself are looked up through an alias",
            code="exists-loose",
        )
    if isinstance(element, ScalarSelect) and _joins(element, walked) and not _is_tied(element, walked, outer):
        raise DeclarationError(
            f"a subquery joins {walked.name}, so it has the same value for all rows: compare the columns of the other "
            f'table with table("{walked.name}", column("...")).c[...] in its where(), without the join',
            code="subquery-joins",
        )
    if isinstance(element, Select):
        outer = (*outer, *element.get_final_froms())
    for child in element.get_children():
        _refuse_loose_subqueries(child, walked, outer)


def _refuse_bare_columns(subquery: Any, walked: Table) -> None:
    elements: Iterable[Any] = visitors.iterate(subquery)
    for element in elements:
        bare = isinstance(element, ColumnClause) and element.table is None and not element.is_literal
        if bare or isinstance(element, Missing):
            name = element.column_name if isinstance(element, Missing) else element.name
            raise DeclarationError(
                f'column("{name}") stands inside a subquery, and its table is not plain: write '
                f'table("{walked.name}", column("{name}")).c.{name} for the walked table, or the other table\'s name',
                code="bare-column",
            )


def _refuse_other_tables(adapted: Any, walked: Table) -> None:
    for source in select(adapted).get_final_froms():
        if source is not walked:
            raise DeclarationError(
                f"{getattr(source, 'fullname', None) or getattr(source, 'name', source)} is not the walked table "
                f"{walked.fullname}: every row of the one would meet every row of the other. Look it up in a subquery: "
                "select(...).where(...).exists() or .scalar_subquery()",
                code="other-table",
            )


def _is_tied(subquery: Any, walked: Table, outer: tuple[FromClause, ...]) -> bool:
    return any(
        source in outer or _is_walked(source, walked)
        for _, correlated in _correlations(subquery, walked, outer)
        for source in correlated
    )


def _joins(subquery: ScalarSelect[Any], walked: Table) -> bool:
    return any(
        isinstance(join, Join) and any(_is_walked(part, walked) for part in visitors.iterate(join) if part is not join)
        for join in _sources(subquery)
    )


def _sources(subquery: Any) -> Iterator[Any]:
    """All parts, and what its selects select from: a select's join() is made only when that is asked for."""
    for part in visitors.iterate(subquery):
        yield part
        if isinstance(part, Select):
            yield from part.get_final_froms()


def _correlations(
    element: Any, walked: Table, outer: tuple[FromClause, ...] = ()
) -> Iterator[tuple[Select[Any], list[FromClause]]]:
    """Each select that speaks of tables outside of it, and those tables: SQLAlchemy itself sees only the next ones."""
    if isinstance(element, Select):
        sources = element.get_final_froms()
        correlated = [source for source in sources if source in outer or _is_walked(source, walked)]
        if correlated and len(correlated) < len(sources):
            yield element, correlated
        outer = (*outer, *sources)
    for child in element.get_children():
        yield from _correlations(child, walked, outer)


def _is_walked(source: Any, walked: Table) -> bool:
    if source is walked or not isinstance(source, TableClause):
        return source is walked
    return source.name == walked.name and getattr(source, "schema", None) in (None, walked.schema)


def _is_walked_column(element: Any, walked: Table) -> bool:
    if not isinstance(element, ColumnClause) or element.is_literal:
        return False
    return element.table is None or _is_walked(element.table, walked)
