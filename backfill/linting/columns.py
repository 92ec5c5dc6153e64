"""Columns: which columns an expression of SQLAlchemy names, sets and compares, and with which values."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from backfill.linting.scope import Scope
from backfill.linting.statement import Computed, Condition, Constant, Copied, Filter, Value

_CONSTANTS = {"true": True, "false": False, "null": None}


def called(call: ast.Call) -> str:
    """The last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def column_of(node: ast.expr) -> str | None:
    """The column that `t.c.name`, `Model.name`, `column("name")`, `t.c["name"]` or a bare `name` is."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    if isinstance(node, ast.Call) and called(node) == "column" and node.args and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return None


def value_of(node: ast.expr, scope: Scope) -> Value:
    """What a column is set to."""
    meanings = scope.meanings(node)
    if len(meanings) == 1:
        (only,) = meanings
        value, is_literal = literal(only.node)
        if is_literal:
            return Constant(value)
        if isinstance(only.node, ast.Attribute) and ".c." in ast.unparse(only.node):
            return Copied(only.node.attr)
    return Computed(columns_in(node))


def literal(node: ast.expr) -> tuple[Any, bool]:
    """The value that an expression says, and whether it says one."""
    if isinstance(node, ast.Call) and called(node) in _CONSTANTS and not node.args:
        return _CONSTANTS[called(node)], True
    try:
        return ast.literal_eval(node), True
    except (ValueError, TypeError, SyntaxError):
        return None, False


def columns_in(node: ast.expr) -> frozenset[str]:
    """Everything in an expression that may be a column."""
    inner = (each for each in ast.walk(node) if isinstance(each, ast.Attribute | ast.Call | ast.Subscript))
    return frozenset(filter(None, map(column_of, inner)))


def filter_of(nodes: Sequence[ast.expr]) -> Filter:
    """Which rows the conditions take."""
    flat = [part for node in nodes for part in _anded(node)]
    conditions = [_condition(node) for node in flat]
    whole = tuple(filter(None, conditions)) if all(conditions) else None
    columns = frozenset(name for node in flat for name in (*columns_in(node), *_keyword(node)))
    return Filter(columns, whole, any(_is_range(node) for node in flat))


def _keyword(node: ast.expr) -> list[str]:
    return [node.left.id] if isinstance(node, ast.Compare) and isinstance(node.left, ast.Name) else []


def _anded(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Call) and called(node) == "and_":
        return list(node.args)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd):
        return [*_anded(node.left), *_anded(node.right)]
    return [node]


def _condition(node: ast.expr) -> Condition | None:
    """`column == value`, or `column.is_(None)`."""
    sides: tuple[ast.expr, ast.expr] | None = None
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.Is):
        sides = (node.left, node.comparators[0])
    elif isinstance(node, ast.Call) and called(node) == "is_" and isinstance(node.func, ast.Attribute) and node.args:
        sides = (node.func.value, node.args[0])
    column = column_of(sides[0]) if sides else None
    value, is_literal = literal(sides[1]) if sides else (None, False)
    return Condition(column, Constant(value)) if column and is_literal else None


def _is_range(node: ast.expr) -> bool:
    if isinstance(node, ast.Compare):
        return any(isinstance(operator, ast.Gt | ast.GtE | ast.In) for operator in node.ops)
    return isinstance(node, ast.Call) and called(node) in ("between", "in_")
