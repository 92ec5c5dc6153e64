"""Parts: the statements of a revision's functions, told apart by what they do, with their text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from backfill.linting.module import Module
from backfill.linting.operation import Kind, Operation
from backfill.linting.revision import Revision


@dataclass(frozen=True)
class Part:
    """One statement of a function, and the operations in it."""

    node: ast.stmt
    text: str
    operations: Sequence[Operation]

    @property
    def kinds(self) -> set[Kind]:
        """What the operations touch."""
        return {each.kind for each in self.operations}

    @property
    def is_idle(self) -> bool:
        """Whether it does nothing: a docstring, `pass`."""
        is_text = isinstance(self.node, ast.Expr) and isinstance(self.node.value, ast.Constant)
        return is_text or isinstance(self.node, ast.Pass)


def parts_of(revision: Revision, name: str) -> list[Part]:
    """The parts of `upgrade` or `downgrade`, in their order."""
    function = revision.module.functions.get(name)
    operations = revision.upgrade if name == "upgrade" else revision.downgrade
    found = []
    for node in function.body if function else ():
        inner = set(ast.walk(node))
        found.append(Part(node, text_of(revision.module, node), [each for each in operations if each.call in inner]))
    return [part for part in found if not part.is_idle]


def text_of(module: Module, node: ast.stmt) -> str:
    """The statement as its author wrote it, with the comment above it, at the left margin."""
    lines = module.text.splitlines()
    first = node.lineno - 1
    while first and lines[first - 1].lstrip().startswith("#") and lines[first - 1][:1] in (" ", "\t"):
        first -= 1
    margin = " " * node.col_offset
    return "\n".join(line.removeprefix(margin) for line in lines[first : node.end_lineno])


def needed(statements: Iterable[tuple[ast.stmt, str]], texts: Iterable[str]) -> list[str]:
    """Those of the statements that bind a name which the texts use, or which another of them needs."""
    wanted = {name for text in texts for name in _used(ast.parse(text))}
    kept: list[str] = []
    for node, text in reversed(list(statements)):
        if wanted & set(_bound(node)):
            kept.insert(0, text)
            wanted |= set(_used(node))
    return kept


def _used(tree: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    else:
        yield from (
            each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        )
