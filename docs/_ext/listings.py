"""Listings: settings and statuses as tables, modules as they are laid out; read from the code that means them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from backfill.settings import Settings
from backfill.status import MOVES, Status

Row = tuple[str, ...]


class Listing(SphinxDirective):
    """A table of what a class declares."""

    header: Row

    def rows(self) -> Iterable[Row]:
        """What it lists."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """The table, as Markdown would have it."""
        lines = [_line(self.header), _line("---" for _ in self.header), *map(_line, self.rows())]
        parent = nodes.Element()
        self.state.nested_parse(StringList(lines, source=self.get_source_info()[0]), self.content_offset, parent)
        return parent.children


class SettingsListing(Listing):
    """Every setting: its default, what it may be, and what it means."""

    header = ("setting", "default", "may be", "")

    def rows(self) -> Iterable[Row]:
        """One for each field."""
        told = told_of(Settings)
        for name, field in Settings.model_fields.items():
            yield (f"`{name}`", f"`{_shown(field.default)}`", _range(field), told[name])


class StatusListing(Listing):
    """Every status, what it means, and where a run may go from there."""

    header = ("status", "", "and then")

    def rows(self) -> Iterable[Row]:
        """One for each member."""
        told = told_of(Status)
        for status in Status:
            following = ", ".join(f"`{each}`" for each in Status if each in MOVES[status])
            yield (f"`{status}`", told[status.name], following)


def told_of(described: type) -> Mapping[str, str]:
    """The text under each attribute of a class."""
    (body,) = [node.body for node in ast.parse(inspect.getsource(described)).body if isinstance(node, ast.ClassDef)]
    return {
        _name(before): after.value.value
        for before, after in pairwise(body)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and _name(before)
    }


def _name(statement: ast.stmt) -> str:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _shown(default: Any) -> str:
    return "none" if default is None else f"{default:g}" if isinstance(default, int | float) else str(default)


def _range(field: FieldInfo) -> str:
    limits = [
        f"{sign} {getattr(each, name):,}" for each in field.metadata for sign, name in _SIGNS if hasattr(each, name)
    ]
    literal = [f"`{value}`" for value in getattr(field.annotation, "__args__", ()) if isinstance(value, str)]
    return " or ".join(literal) or ", ".join(limits)


_SIGNS = (("≥", "ge"), (">", "gt"), ("≤", "le"))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def show_module(_app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Show what follows a module's first line as it is laid out there: a tree, a table, an import."""
    if what == "module":
        first, *rest = lines
        lines[:] = [first, "", "::", "", *(f"   {line}" for line in rest), ""]


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.connect("autodoc-process-docstring", show_module)
    app.add_directive("settings", SettingsListing)
    app.add_directive("statuses", StatusListing)
    return {"parallel_read_safe": True}
