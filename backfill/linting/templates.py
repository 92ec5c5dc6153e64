"""Templates: the files that a revision is split into, and what a remedy shows of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import indent

from backfill.linting.shape import Fill
from backfill.linting.statement import Condition, Constant, Copied

REVISION = '''"""{title}"""

{imports}

revision = {revision!r}
down_revision = {parent}
{constants}

def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''

_ROWS = '''"""Fill {columns} of {table}."""

from typing import Any

{imports}

import backfill
from backfill import Rows{missing}


@backfill.transform("{table}"{where})
def {name}(rows: Rows) -> dict[str, Any]:
    """Say in one sentence what {columns} becomes."""
    return {{{values}}}
'''


def transform_file(fill: Fill) -> tuple[str, str]:
    """The name and the text of the file that declares a fill."""
    if fill.is_constant:
        return f"{fill.name}.json", json.dumps(_document(fill)) + "\n"
    return f"{fill.name}.py", _ROWS.format(
        table=fill.table,
        columns=", ".join(fill.values),
        name=fill.name,
        imports=f"from sqlalchemy import {', '.join(sorted(_used(fill)))}" if _used(fill) else "",
        missing=", is_missing" if any(each.value.value is None for each in fill.where) else "",
        where=f", where={' & '.join(map(_condition, fill.where))}" if fill.where else "",
        values=", ".join(f'"{column}": {_value(value)}' for column, value in fill.values.items()),
    ).replace("\n\n\n\nimport", "\n\nimport")


def block(lines: Sequence[str]) -> str:
    """A function's body of these statements; `pass` if there is none."""
    return indent("\n".join(lines) or "pass", "    ")


def _document(fill: Fill) -> dict[str, object]:
    values = {column: value.value for column, value in fill.values.items() if isinstance(value, Constant)}
    where = {each.column: each.value.value for each in fill.where}
    return {"table": fill.table, **({"where": where} if where else {}), "set": values}


def _used(fill: Fill) -> set[str]:
    literal = {"literal"} if any(isinstance(value, Constant) for value in fill.values.values()) else set()
    column = {"column"} if any(each.value.value is not None for each in fill.where) else set()
    return literal | column


def _value(value: object) -> str:
    return f'rows.c["{value.column}"]' if isinstance(value, Copied) else f"literal({getattr(value, 'value', None)!r})"


def _condition(condition: Condition) -> str:
    if condition.value.value is None:
        return f'is_missing("{condition.column}")'
    return f'(column("{condition.column}") == {condition.value.value!r})'
