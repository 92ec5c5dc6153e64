"""Module: a Python file as it is written, with what it defines and imports; nothing of it is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef

REACH = 7
"""Folders above a revision in which the project's packages are looked for."""


@dataclass(frozen=True)
class Import:
    """A name that an import statement binds: a module, or something out of one."""

    module: str
    level: int = 0
    name: str | None = None
    line: int = 0

    @property
    def dotted(self) -> str:
        """The whole name, as one would write it."""
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass(eq=False)
class Module:
    """One file."""

    path: Path
    text: str
    tree: ast.Module = field(repr=False)

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Functions of the module itself."""
        return {node.name: node for node in _top(self.tree) if isinstance(node, Function)}

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """Classes, also those that are defined within a function."""
        return {node.name: node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)}

    @cached_property
    def methods(self) -> dict[str, list[Function]]:
        """Methods of the classes, by their names."""
        found: dict[str, list[Function]] = {}
        for class_ in self.classes.values():
            for node in class_.body:
                if isinstance(node, Function):
                    found.setdefault(node.name, []).append(node)
        return found

    @cached_property
    def imports(self) -> dict[str, Import]:
        """What import statements bind, wherever they stand."""
        return {bound: found for node in ast.walk(self.tree) for bound, found in _imported(node)}

    def dotted(self, expression: ast.expr) -> str | None:
        """What `a.b.c` is once its imports are followed: `op.execute` is `alembic.op.execute`."""
        if isinstance(expression, ast.Name):
            found = self.imports.get(expression.id)
            return found.dotted if found else expression.id
        if isinstance(expression, ast.Attribute):
            start = self.dotted(expression.value)
            return f"{start}.{expression.attr}" if start else None
        return None


class Modules:
    """The files of a project, each read once."""

    def __init__(self) -> None:
        self._known: dict[Path, Module | None] = {}
        self._found: dict[tuple[Path, Import], tuple[Module, str | None] | None] = {}

    def read(self, path: Path) -> Module | None:
        """The file, or None if it is no Python that this interpreter can read."""
        if path not in self._known:
            self._known[path] = _read(path)
        return self._known[path]

    def imported(self, module: Module, found: Import) -> tuple[Module, str | None] | None:
        """The project's own file that an import leads to, and the name wanted of it."""
        key = (module.path, found)
        if key not in self._found:
            self._found[key] = self._find(module, found)
        return self._found[key]

    def _find(self, module: Module, found: Import) -> tuple[Module, str | None] | None:
        for dotted, name in _readings(found):
            for root in _roots(module.path, found.level):
                path = _file(root, dotted)
                target = path and path != module.path and self.read(path)
                if target:
                    return target, name
        return None


def _read(path: Path) -> Module | None:
    try:
        text = path.read_text(encoding="utf-8")
        return Module(path, text, ast.parse(text))
    except (OSError, SyntaxError, ValueError):
        return None


def _readings(found: Import) -> Iterator[tuple[str, str | None]]:
    """`from a import b` is a name of a module a, or a module a.b."""
    if found.name:
        yield f"{found.module}.{found.name}".strip("."), None
    yield found.module, found.name


def _roots(path: Path, level: int) -> Iterator[Path]:
    if level:
        yield path.parents[level - 1]
        return
    for parent in path.parents[:REACH]:
        yield parent
        if (parent / ".git").exists():
            return


def _file(root: Path, dotted: str) -> Path | None:
    place = root.joinpath(*dotted.split(".")) if dotted else root
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _top(tree: ast.Module) -> Iterator[ast.stmt]:
    """The module's statements, also those under an `if` or `try`."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if isinstance(node, ast.If | ast.Try):
            waiting.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))


def _imported(node: ast.AST) -> Iterator[tuple[str, Import]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield (
                (alias.asname or alias.name.partition(".")[0]),
                Import(alias.name if alias.asname else alias.name.partition(".")[0], line=node.lineno),
            )
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name, Import(node.module or "", node.level, alias.name, node.lineno)
