"""Pyproject: the tables under [tool.backfill] in a project's pyproject.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from backfill.errors import SettingsError

CHECK = "check"
"""The table within it that belongs to `backfill check`."""


def read_settings(path: Path) -> Mapping[str, Any]:
    """[tool.backfill], without the table that belongs to `backfill check`."""
    return {name: value for name, value in _read(path).items() if name != CHECK}


def read_check(path: Path) -> Mapping[str, Any]:
    """[tool.backfill.check]."""
    found = _read(path).get(CHECK, {})
    if not isinstance(found, dict):
        raise SettingsError(
            f"{path}: [tool.backfill.check] is a table, such as paths = ['migrations']", code="settings-form"
        )
    return found


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}", code="settings-unreadable") from None
    found = table.get("tool", {}).get("backfill", {})
    if not isinstance(found, dict):
        raise SettingsError(
            f"{path}: [tool.backfill] is a table of settings, such as batch_size = 1000", code="settings-form"
        )
    return found
