"""Chart: the ratios as bars, a row of panels for each section and a column for each database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.measuring import Standing
from benchmarks.report import Spread, Table, brief

OURS, OTHERS = "#1f77b4", "#b0b0b0"

_WIDTH, _BAR, _HEAD = 7.0, 0.28, 0.9
"""Inches: of a panel, of a bar, and of what stands above and below the bars."""


def draw(file: Path, tables: Sequence[Table]) -> None:
    """Draw every section that has a yardstick; the file's ending says as what."""
    shown = [table for table in tables if table.section.against]
    sections = list(dict.fromkeys(table.section.name for table in shown))
    databases = list(dict.fromkeys(table.database for table in shown))
    heights = [_height(table for table in shown if table.section.name == name) for name in sections]
    figure = Figure(figsize=(_WIDTH * len(databases), sum(heights)), layout="constrained")
    panels = figure.subplots(len(sections), len(databases), squeeze=False, height_ratios=heights)
    for table in shown:
        _draw_panel(panels[sections.index(table.section.name)][databases.index(table.database)], table)
    figure.savefig(file, dpi=120)


def _height(tables: Any) -> float:
    return _HEAD + _BAR * max(len(table.standings) for table in tables)


def _draw_panel(panel: Any, table: Table) -> None:
    ratios = [(standing, ratio) for standing in table.standings if (ratio := table.ratio(standing))]
    for place, (standing, ratio) in enumerate(ratios):
        _draw_bar(panel, place, standing, ratio)
    panel.set_yticks(range(len(ratios)), [standing.row.name for standing, _ in ratios])
    panel.invert_yaxis()
    panel.axvline(1, color="black", linewidth=0.8)
    panel.margins(x=0.15)
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_title(f"{table.database}: {table.section.title}", loc="left", fontsize=9)
    panel.set_xlabel(f"{table.section.unit}, in times of {table.section.against}", fontsize=8)


def _draw_bar(panel: Any, place: int, standing: Standing, ratio: Spread) -> None:
    noise = [[ratio.median - ratio.min], [ratio.max - ratio.median]]
    colour = OURS if standing.row.name.startswith("backfill") else OTHERS
    panel.barh(place, ratio.median, xerr=noise, color=colour, ecolor="black", error_kw={"linewidth": 0.8})
    panel.annotate(
        brief(ratio.median), (ratio.max, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8
    )
