"""Settings: what a project may tune, from pyproject.toml, its alembic.ini and BACKFILL_* variables."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from backfill.dialect import Limits
from backfill.errors import SettingsError
from backfill.pyproject import read_settings

_UNKNOWN = "extra_forbidden"
"""What pydantic says of a name that is no setting's."""


class Settings(BaseModel):
    """What a project may tune. Later sources win: pyproject.toml, alembic.ini, the environment, the call itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    transforms: str = Field(
        default="transforms", pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$", examples=["transforms", "app.transforms"]
    )
    """The package that holds one file per transform."""
    mode: Literal["inline", "defer"] = "inline"
    """What `run_backfill` does in an upgrade: fill now, or register the run for `backfill run`."""
    batch_size: int = Field(default=1_000, ge=1, le=100_000)
    """Rows of the first batch."""
    max_batch_size: int = Field(default=10_000, ge=1, le=100_000)
    """Rows of any batch."""
    batch_seconds: float = Field(default=0.1, gt=0, le=60)
    """How long a batch should take; its size adapts."""
    keep_undo: bool | None = None
    """Whether images of what rows held are kept, so that a run can be undone; None: as its definition says."""
    workers: int = Field(default=1, ge=1, le=64)
    """How many walk the table at once, where its definition allows it."""
    duty: float = Field(default=1, ge=0.05, le=1)
    """Share of the time in which a worker may be at work; the rest of it belongs to others."""
    vacuum_share: float = Field(default=0, ge=0, le=1)
    """PostgreSQL: after each such share of a table the room of its dead row versions is made free; 0: never."""
    lease_seconds: float = Field(default=30, ge=1, le=3_600)
    """How long a silent worker keeps its slice; each batch renews it."""
    lock_seconds: float = Field(default=2, gt=0, le=600)
    """How long a batch waits for a lock that somebody else holds."""
    statement_seconds: float = Field(default=20, gt=0, le=3_600)
    """How long one statement may run before its batch is halved."""
    idle_seconds: float = Field(default=60, gt=0, le=3_600)
    """How long the server lets a frozen worker hold its locks."""
    max_rejections: str = Field(default="0", pattern=r"^\d{1,9}$|^\d{1,2}(\.\d{1,6})?%$|^100%$", examples=["100", "1%"])
    """How many rows may be left out because they cannot be filled, or which share of all, as in "1%"."""
    attempts: int = Field(default=10, ge=1, le=1_000)
    """How often a batch that met a conflict is taken again."""

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_truth(cls, value: object, info: ValidationInfo) -> object:
        """`batch_size = true` would count as 1."""
        if isinstance(value, bool) and info.field_name != "keep_undo":
            raise PydanticCustomError("truth", "true and false are no numbers")
        return value

    @field_validator("max_rejections", mode="before")
    @classmethod
    def _spell(cls, value: object) -> object:
        return str(value) if isinstance(value, int) else value

    @property
    def may_reject(self) -> bool:
        """Whether any row may be left out."""
        return float(self.max_rejections.rstrip("%")) > 0

    def rejections_allowed(self, rows: int) -> int:
        """How many of so many rows may be left out."""
        if not self.max_rejections.endswith("%"):
            return int(self.max_rejections)
        return math.ceil(rows * float(self.max_rejections.rstrip("%")) / 100)

    def for_leader(self, has_helpers: bool) -> Settings:
        """For one who vacuums for all workers, but counts the rows of its own."""
        if not has_helpers:
            return self
        return self.model_copy(update={"vacuum_share": self.vacuum_share / self.workers})

    def for_helper(self) -> Settings:
        """For one who leaves that to its leader."""
        return self.model_copy(update={"vacuum_share": 0})

    @property
    def limits(self) -> Limits:
        """How long one statement of a batch may take."""
        return Limits(self.lock_seconds, self.statement_seconds, self.idle_seconds)


def load_settings(ini: Path | None = None, **overrides: Any) -> Settings:
    """The project's settings, with `overrides` that are not None on top.

    Raises:
        SettingsError: a setting is unknown or out of range; its name and source are in the message.
    """
    sources: dict[str, Mapping[str, Any]] = {
        "pyproject.toml [tool.backfill]": read_settings(Path("pyproject.toml")),
        f"{ini} [backfill]": _from_ini(ini),
        "the environment": _from_environment(os.environ),
        "the call": {name: value for name, value in overrides.items() if value is not None},
    }
    merged: dict[str, Any] = {}
    for source, values in sources.items():
        merged |= values
        _validate(merged, source)
    settings = _validate(merged, "the settings")
    _require_lasting_lease(settings)
    return settings


def _require_lasting_lease(settings: Settings) -> None:
    """Asked of all sources together, since each may set one of the two."""
    if settings.lease_seconds <= settings.statement_seconds:
        raise SettingsError(
            f"lease_seconds is {settings.lease_seconds:g}, statement_seconds {settings.statement_seconds:g}: a worker "
            "at a slow statement would be taken for dead. Make the lease longer, or the statement's limit shorter",
            code="setting-lease-seconds-too-short",
        )


def _validate(values: Mapping[str, Any], source: str) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_input=False)
        told = "; ".join(f"{'.'.join(map(str, each['loc']))}: {_told(each)}" for each in problems)
        if any(each["type"] == _UNKNOWN for each in problems):
            told += f". Known settings: {', '.join(Settings.model_fields)}"
        raise SettingsError(f"{source}: {told}", code=_code_of(error)) from None


def _told(problem: ErrorDetails) -> str:
    """What is wrong with a setting; of one that has a form of its own, how it may look."""
    if problem["type"] != "string_pattern_mismatch":
        return problem["msg"]
    examples = Settings.model_fields[str(problem["loc"][0])].examples or ()
    return f"it should look like {' or '.join(map(str, examples))}"


def _code_of(error: ValidationError) -> str:
    """The name of the first setting that is wrong, and the rule that it breaks."""
    first = error.errors(include_input=False)[0]
    name = first["loc"][0] if first["loc"][0] in Settings.model_fields else "unknown"
    return f"setting-{name}-{first['type']}".replace("_", "-")


def _from_ini(path: Path | None) -> Mapping[str, Any]:
    if path is None or not path.is_file():
        return {}
    parser = ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
    except (ConfigParserError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {_told_of_ini(error)}", code="settings-unreadable") from None
    return dict(parser["backfill"]) if parser.has_section("backfill") else {}


def _told_of_ini(error: Exception) -> str:
    """What is wrong, and where; the lines themselves may be a URL with its password."""
    what, *_ = str(error).splitlines()
    lines = [f"line {number}" for number, _ in getattr(error, "errors", ())]
    return ", ".join([" ".join(what.split()), *lines])


def _from_environment(environment: Mapping[str, str]) -> Mapping[str, Any]:
    named = {name: f"BACKFILL_{name.upper()}" for name in Settings.model_fields}
    return {name: environment[variable] for name, variable in named.items() if variable in environment}
