"""What the command says of rows that were rejected."""

from __future__ import annotations

import json
from collections.abc import Sequence

from backfill.escaping import excerpt, one_line
from backfill.key import encode_key, key_in_full, printable_key
from backfill.phrase import counted
from backfill.rejections import Rejection

SHOWN = 100
"""Rows on a page; as JSON there are all of them."""


def rejections_page(name: str, rejections: Sequence[Rejection], *, with_keys: bool = False) -> str:
    """One line a row; keys that may be personal are shown to those who ask for them."""
    if not rejections:
        return f"{excerpt(name)}: no row was rejected."
    shown, show = rejections[:SHOWN], key_in_full if with_keys else printable_key
    keys = [show(each.key) for each in shown]
    lines = [_line(each, key) for each, key in zip(shown, keys, strict=True)]
    if len(rejections) > SHOWN:
        lines.append(f"… and {len(rejections) - SHOWN:,} more; all of them:  backfill rejections {name} --json")
    lines.append("")
    if not with_keys and any("#" in key for key in keys):
        lines.append(f"To see the keys that are #… here:  backfill rejections {name} --keys")
    lines.append(f"To take them again:  backfill rejections {name} retry   To leave them:  … accept [NUMBERS]")
    return "\n".join(lines)


def rejections_json(rejections: Sequence[Rejection], *, with_keys: bool = False) -> str:
    """A list of objects; the key itself is among them for those who ask for it, as a list."""
    return json.dumps([_object(each) | _key(each, with_keys) for each in rejections], indent=2)


def decision_page(name: str, decision: str, rows: int) -> str:
    """What becomes of the rows that were decided about."""
    if not rows:
        return f"{name}: none of its rejected rows is open. See them:  backfill rejections {name}"
    told = {"retry": "will be taken again", "accept": "may stay unfilled"}[decision]
    return f"{name}: {counted(rows, 'rejected row')} {told}. To go on:  backfill run {name}"


def _line(rejection: Rejection, key: str) -> str:
    row = one_line(f"{rejection.table} row {key}")
    return f"{rejection.id:>6}  {rejection.standing:<8}  {row}: {one_line(rejection.reason)}"


def _key(rejection: Rejection, with_keys: bool) -> dict[str, object]:
    return {"key": json.loads(encode_key(rejection.key))} if with_keys else {}


def _object(rejection: Rejection) -> dict[str, object]:
    return {
        "number": rejection.id,
        "standing": rejection.standing,
        "table": rejection.table,
        "row": printable_key(rejection.key),
        "reason": rejection.reason,
    }
