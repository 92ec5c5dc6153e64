"""What the command says of rows that were rejected."""

from __future__ import annotations

import json
from collections.abc import Sequence

from backfill.escaping import excerpt, one_line
from backfill.key import printable_key
from backfill.rejections import Rejection

SHOWN = 100
"""Rows on a page; as JSON there are all of them."""


def rejections_page(name: str, rejections: Sequence[Rejection]) -> str:
    """One line a row."""
    if not rejections:
        return f"{excerpt(name)}: no row was rejected."
    lines = [f"{each.id:>6}  {each.standing:<8}  {_row(each)}: {one_line(each.reason)}" for each in rejections[:SHOWN]]
    if len(rejections) > SHOWN:
        lines.append(f"… and {len(rejections) - SHOWN:,} more; all of them:  backfill rejections {name} --json")
    lines.append(f"\nTo take them again:  backfill rejections {name} retry   To leave them:  … accept [NUMBERS]")
    return "\n".join(lines)


def rejections_json(rejections: Sequence[Rejection]) -> str:
    """A list of objects."""
    return json.dumps([_object(each) for each in rejections], indent=2)


def decision_page(name: str, decision: str, rows: int) -> str:
    """What becomes of the rows that were decided about."""
    told = {"retry": "will be taken again", "accept": "may stay as they are"}[decision]
    return f"{name}: {rows:,} rejected rows {told}. To go on:  backfill run {name}"


def _row(rejection: Rejection) -> str:
    return f"{one_line(rejection.table)} row {printable_key(rejection.key)}"


def _object(rejection: Rejection) -> dict[str, object]:
    return {
        "number": rejection.id,
        "standing": rejection.standing,
        "table": rejection.table,
        "row": printable_key(rejection.key),
        "reason": rejection.reason,
    }
