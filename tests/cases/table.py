"""Table: each case with its level, its forms and its length in lines, printed by `python -m tests.cases.table`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.cases.harness import CASES
from tests.conftest import DATABASES

DECLARED = Path(__file__).parent / "declared"
SIGNS = (
    ("row", 1, r"^@backfill\.transform.*\ndef \w+\(\w+: (?!Rows|list\[)"),
    ("list", 1, r"^def \w+\(\w+: list\["),
    ("Rows", 1, r"^def \w+\(\w+: Rows"),
    ("lookups", 2, r"\blookups="),
    ("select", 2, r"\bselect\("),
    ("Update", 3, r"\bUpdate\("),
    ("Delete", 3, r"\bDelete\("),
    ("Insert", 4, r"\bInsert\("),
    ("seed", 5, r"^@backfill\.seed"),
    ("link", 6, r"^ +\w+: .*\bInsert\["),
    ("group", 7, r"\bgroup_by="),
    ("state", 7, r"\*, state:"),
    ("connection", 7, r"\*, connection:"),
    ("step", 8, r"^@backfill\.step"),
)
"""A word for what a declaration uses, its rung on the ladder, and how it is seen in the code."""

RULE = (
    "Level: the highest rung of the ladder that the declaration stands on. Lines: those of its functions, helpers and "
    "decorators included, without docstrings, comments and blank lines; imports, models, light tables and constants "
    "are not counted. Databases: those on which the project runs the step; it is tested on all three."
)


@dataclass(frozen=True)
class Declaration:
    """The module of a case, as it is written."""

    name: str

    @cached_property
    def source(self) -> str:
        """Its text."""
        return (DECLARED / f"{self.name}.py").read_text(encoding="utf-8")

    @property
    def signs(self) -> list[tuple[str, int]]:
        """What it uses, and on which rung of the ladder that is."""
        code = ast.unparse(ast.parse(self.source))
        return [(word, level) for word, level, pattern in SIGNS if re.search(pattern, code, re.MULTILINE)]

    @property
    def lines(self) -> int:
        """Lines of code of its functions, decorators included."""
        lines = self.source.splitlines()
        functions = [node for node in ast.parse(self.source).body if isinstance(node, ast.FunctionDef)]
        counted = (lines[number - 1].strip() for function in functions for number in _code_lines(function))
        return sum(1 for line in counted if line and not line.startswith("#"))


def rows() -> Iterator[tuple[str, ...]]:
    """The table's heading, then a row for each case, by level and name."""
    yield "case", "project", "level", "uses", "lines", "databases"
    declared = [(max(level for _, level in Declaration(case.name).signs), case) for case in CASES]
    for level, case in sorted(declared, key=lambda pair: (pair[0], pair[1].name)):
        declaration, about = Declaration(case.name), case.about
        words = ", ".join(word for word, _ in declaration.signs)
        databases = ", ".join(name for name in DATABASES if name in about["databases"])
        yield case.name, about["project"], str(level), words, str(declaration.lines), databases


def markdown() -> str:
    """The table and the rule by which it is made."""
    heading, *cases = rows()
    ruler = ["--:" if word in ("level", "lines") else "---" for word in heading]
    table = "\n".join(f"| {' | '.join(row)} |" for row in (heading, ruler, *cases))
    return f"{table}\n\n{RULE}"


def _code_lines(function: ast.FunctionDef) -> Iterator[int]:
    first = min((decorator.lineno for decorator in function.decorator_list), default=function.lineno)
    documented: set[int] = set()
    if ast.get_docstring(function) is not None:
        documented = set(range(function.body[0].lineno, (function.body[0].end_lineno or 0) + 1))
    yield from (number for number in range(first, (function.end_lineno or 0) + 1) if number not in documented)


if __name__ == "__main__":
    print(markdown())  # noqa: T201  # it is a command
