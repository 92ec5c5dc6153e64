"""Report: the same figures for people and, as JSON, for programs. Ratios are taken turn by turn."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measuring import Standing
from benchmarks.sections import Section

PACKAGES = ("sqlalchemy", "pydantic", "psycopg", "PyMySQL", "Django", "django-maintenance-tasks", "delembic")


@dataclass(frozen=True)
class Spread:
    """A figure and its noise."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """The middle and the ends."""
        return cls(median(figures), min(figures), max(figures))

    def __str__(self) -> str:
        return f"{brief(self.median):>10}{brief(self.min) + '..' + brief(self.max):>18}"


@dataclass(frozen=True)
class Table:
    """A section on one database, measured."""

    database: str
    version: str
    section: Section
    standings: Sequence[Standing]

    def lines(self) -> Iterator[str]:
        """For people: medians and their noise, then the ratio and its noise."""
        against = f"in times of {self.section.against}" if self.section.against else ""
        lead = "backfill is" if self._named("backfill") else ""
        yield f"\n{self.database}: {self.section.title}"
        yield f"{'':34}{'rows':>11}{self.section.unit:>10}{'min..max':>18}{'MB':>6}{against:>36}{lead:>13}"
        yield from map(self._line, self.standings)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        rows = [self._row(standing) for standing in self.standings]
        section = self.section
        named = {"section": section.name, "title": section.title, "unit": section.unit, "against": section.against}
        return {"database": self.database, "version": self.version, **named, "rows": rows}

    def ratio(self, standing: Standing) -> Spread | None:
        """How many times the yardstick's figure it reached."""
        return _ratio(standing, self._named(self.section.against))

    def lead(self, standing: Standing) -> Spread | None:
        """How many times its figure backfill reached, with the settings that it comes with."""
        ours = self._named("backfill")
        return _ratio(ours, standing) if ours else None

    def _named(self, name: str | None) -> Standing | None:
        return next((standing for standing in self.standings if standing.row.name == name), None)

    def _line(self, standing: Standing) -> str:
        if not standing.samples:
            return f"{standing.row.name:34}{'not available: ' + (standing.missing or 'not measured')}"
        ratio = self.ratio(standing)
        figures = Spread.of([sample.figure for sample in standing.samples])
        peak = max(sample.megabytes for sample in standing.samples)
        lead = self.lead(standing)
        times = f"{brief(lead.median)} times" if lead else ""
        return f"{standing.row.name:34}{standing.rows:>11,}{figures}{peak:>6.0f}{ratio or ''!s:>36}{times:>13}"

    def _row(self, standing: Standing) -> dict[str, Any]:
        figures = Spread.of([sample.figure for sample in standing.samples]) if standing.samples else None
        spreads = {"figure": figures, "ratio": self.ratio(standing), "backfill_is": self.lead(standing)}
        return {
            "name": standing.row.name,
            "table_rows": standing.rows,
            "samples": [asdict(sample) for sample in standing.samples],
            **{name: asdict(spread) if spread else None for name, spread in spreads.items()},
            "missing": standing.missing,
        }


def _ratio(standing: Standing, other: Standing | None) -> Spread | None:
    """Turn by turn, since what disturbs one turn disturbs both."""
    if other is None or not (standing.samples and other.samples):
        return None
    pairs = zip(standing.samples, other.samples, strict=True)
    return Spread.of([sample.figure / beside.figure for sample, beside in pairs])


def brief(figure: float) -> str:
    """Three digits are all that such a figure can promise."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def write_json(file: Path, tables: Sequence[Table], **options: Any) -> None:
    """The whole run."""
    document = {"machine": machine(), "options": options, "tables": [table.as_json() for table in tables]}
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
