"""Document: a JSON definition, read so strictly that nothing in it can be lost or taken for something else."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from backfill.errors import DeclarationError

KEYS = ("table", "tables", "where", "set", "delete", "insert", "match", "update", "keep_undo", "description")

_MOST_BYTES = 1_000_000
_MOST_LEVELS = 50


def read_document(file: str, text: str | bytes) -> dict[str, Any]:
    """The object that the file holds.

    Raises:
        DeclarationError: it is not JSON, holds a key twice, a number that is none or a key that means nothing, or it
            is larger or deeper than a definition has a reason to be.
    """
    if len(text) > _MOST_BYTES:
        raise DeclarationError(
            f"{file} is larger than 1 MB; rows are filled from other tables by a Python transform",
            code="document-large",
        )
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
        json.dumps(found, ensure_ascii=False).encode()  # half a character cannot be stored
    except RecursionError:
        raise DeclarationError(_too_deep(file), code="document-deep") from None
    except ValueError as error:
        raise DeclarationError(f"{file} is not JSON: {error}", code="document-no-json") from None
    if not isinstance(found, dict):
        raise DeclarationError(
            f'{file} holds no object: write {{"table": "users", "where": {{…}}, "set": {{…}}}}', code="document-form"
        )
    if _levels(found) > _MOST_LEVELS:
        raise DeclarationError(_too_deep(file), code="document-deep")
    if unknown := found.keys() - set(KEYS):
        raise DeclarationError(
            f"{file}: unknown key {', '.join(sorted(unknown))}; known: {', '.join(KEYS)}", code="document-key"
        )
    if len({"table", "tables"} & found.keys()) != 1:
        raise DeclarationError(f'{file} has no "table" to walk, or "table" and "tables" both', code="document-table")
    return found


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} stands twice in an object")
    return found


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is no number that a column can hold")
    return value


def _levels(value: Any) -> int:
    if isinstance(value, dict | list):
        return 1 + max(map(_levels, value.values() if isinstance(value, dict) else value), default=0)
    return 0


def _too_deep(file: str) -> str:
    return f"{file} is nested more than {_MOST_LEVELS} levels deep"
