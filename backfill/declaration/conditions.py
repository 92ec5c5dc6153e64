"""Conditions: which rows a transform takes, as SQLAlchemy expressions, and what they prove about a row."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_core import PydanticCustomError
from sqlalchemy import Boolean, ColumnElement, Select, TextualSelect, and_, column, or_
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ColumnClause,
    Grouping,
    Null,
    TextClause,
    UnaryExpression,
)
from sqlalchemy.sql.functions import FunctionElement

Condition = ColumnElement[bool]

_FALSE_FOR_NULL = frozenset(
    {operators.eq, operators.ne, operators.lt, operators.le, operators.gt, operators.ge, operators.in_op}
)
"""Comparisons with a value that no NULL passes."""

_OPERATOR = re.compile(r"[-+*/<>=~!@#%^&|`?:]+|[A-Za-z]+( [A-Za-z]+)*")
"""Signs or words; anything else in an operator's place could be the end of one condition and the start of another."""

_VOLATILE = frozenset(
    {"random", "rand", "randomblob", "uuid", "gen_random_uuid", "uuid_generate_v4", "sleep", "pg_sleep", "benchmark"}
    | {"nextval", "setval", "lastval", "now", "current_timestamp", "clock_timestamp", "sysdate", "get_lock"}
    | {"load_file", "load_extension", "pg_read_file", "pg_read_binary_file", "dblink", "dblink_exec", "lo_import"}
)

NO_TEXT = (
    "raw SQL text could reach rows outside the batch: write it as an expression, such as "
    'column("state") == "open" or func.lower(users.c.email)'
)


class Missing(ColumnElement[bool]):
    """`is_missing(column)`, until the column's type says whether JSON null counts too."""

    inherit_cache = True
    __visit_name__ = "missing"
    _traverse_internals = [("column_name", visitors.InternalTraversal.dp_string)]  # noqa: RUF012  # as SQLAlchemy has it
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
        raise PydanticCustomError("where-empty", '"where" is empty: leave it out to take every row')
    return and_(*(_from_item(name, value) for name, value in wanted.items()))


def _from_item(name: str, value: Any) -> Condition:
    if value == []:
        raise PydanticCustomError(
            "where-nothing", f'"where": {name}: an empty list takes no row; name the values, or leave {name} out'
        )
    values = value if isinstance(value, list) else [value]
    if any(isinstance(one, dict | list) for one in values):
        raise PydanticCustomError(
            "where-nested", f'"where": {name}: use a scalar, a list of scalars or null; nothing nested can be compared'
        )
    present = [one for one in values if one is not None]
    asked = [column(name).in_(present)] if len(present) > 1 else [column(name) == one for one in present]
    return or_(*asked, *([is_missing(name)] if None in values else []))


def render(condition: Condition) -> str:
    """The condition as people read it; for display and fingerprints, never executed."""
    try:
        text = str(condition.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    except Exception:  # a type without literal form: any fault of rendering only costs readability
        compiled = condition.compile(dialect=sqlite.dialect())
        text = f"{compiled} {sorted(compiled.params.items())}"
    return " ".join(text.split())


def has_text(expression: Any) -> bool:
    """Whether raw SQL stands in the expression, which could reach rows outside the batch."""
    return any(isinstance(part, TextClause | TextualSelect) or _is_raw(part) for part in visitors.iterate(expression))


def volatile_function(expression: Any) -> str | None:
    """The name of a function in it that is random, waits, counts on, or reaches out of the database."""
    names = (str(part.name).lower() for part in visitors.iterate(expression) if isinstance(part, FunctionElement))
    return next((name for name in names if name in _VOLATILE), None)


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
    return frozenset(_required(condition, operators.is_not)) | frozenset(
        name for part in conjuncts(condition) for name in _compared(part)
    )


def suggest(name: str, known: Iterable[str]) -> str:
    """' Did you mean x?', or nothing."""
    spelt = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name.casefold(), spelt, n=1)
    return f" Did you mean {spelt[close[0]]}?" if close else ""


def _is_raw(part: Any) -> bool:
    """Literal text in a column's place, or around a select; `*` and the 1 of `select(1)` are SQLAlchemy's own."""
    if isinstance(part, Select):
        return any(getattr(part, place) for place in ("_prefixes", "_suffixes", "_hints", "_statement_hints"))
    operator = getattr(part, "operator", None)
    if isinstance(operator, operators.custom_op):
        return _OPERATOR.fullmatch(operator.opstring) is None or any(sign in operator.opstring for sign in ("--", "/*"))
    return isinstance(part, ColumnClause) and part.is_literal and not (part.name == "*" or part.name.isdecimal())


def _required(condition: Any, operator: Any) -> Iterator[str]:
    for part in conjuncts(condition):
        if (
            isinstance(part, BinaryExpression)
            and part.operator is operator
            and isinstance(part.left, ColumnClause)
            and isinstance(part.right, Null)
        ):
            yield part.left.name


def _compared(part: Any) -> Iterator[str]:
    """The column that a comparison with a value, or `~is_missing(...)`, asks to be there."""
    if isinstance(part, UnaryExpression) and part.operator is operators.is_false and isinstance(part.element, Missing):
        yield part.element.column_name
    if isinstance(part, BinaryExpression) and part.operator in _FALSE_FOR_NULL:
        for one, other in ((part.left, part.right), (part.right, part.left)):
            if isinstance(one, ColumnClause) and isinstance(other, BindParameter) and other.value is not None:
                yield one.name
