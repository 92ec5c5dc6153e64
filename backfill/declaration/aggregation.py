"""Aggregation: whether an expression looks at several rows together, so that the end of a batch would show in it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Subquery
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import Over
from sqlalchemy.sql.functions import FunctionElement

_AGGREGATES = frozenset(
    {"any_value", "array_agg", "avg", "bit_and", "bit_or", "bool_and", "bool_or", "count", "every", "group_concat"}
    | {"json_agg", "json_arrayagg", "json_group_array", "json_object_agg", "jsonb_agg", "max", "min", "std", "stddev"}
    | {"string_agg", "sum", "total", "var_pop", "variance"}
)
_PLACES = ("_limit_clause", "_offset_clause", "_group_by_clauses", "_having_criteria")
"""Where SQLAlchemy keeps what has no public name."""


def combines_rows(statement: Select[Any]) -> bool:
    """Whether a select, or one that it selects from, counts, sums or limits its rows."""
    if any(_is_said(getattr(statement, place)) for place in _PLACES):
        return True
    if any(_is_aggregate(part) for each in statement.selected_columns for part in visitors.iterate(each)):
        return True
    inner = (source.element for source in statement.get_final_froms() if isinstance(source, Subquery))
    return any(isinstance(each, Select) and (combines_rows(each) or is_distinct(each)) for each in inner)


def _is_said(place: Any) -> bool:
    """Whether anything stands there: a clause, which has no truth of its own, or a sequence that is not empty."""
    return bool(place) if isinstance(place, tuple) else place is not None


def is_distinct(statement: Select[Any]) -> bool:
    """Whether a select gives equal rows once."""
    return bool(statement._distinct)


def has_window(expression: Any) -> bool:
    """Whether a window function stands in the expression."""
    return any(isinstance(part, Over) for part in visitors.iterate(expression))


def _is_aggregate(part: Any) -> bool:
    return isinstance(part, FunctionElement) and str(getattr(part, "name", "")).lower() in _AGGREGATES
