"""Codes: every code that stands in the source, with the sentence beside it, as the page that documents them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from backfill import errors
from backfill.errors import Refused

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs" / "codes.md"

HEAD = """# Codes of refusals

Each refusal begins with a code in brackets, which stays the same when its words change; … stands for names and numbers
of the case at hand. Where a code is a kind of finding that may be meant, the message says `--accept CODE`.

| code | what is said |
|---|---|
"""

FINDINGS = ("Finding", "consent")
"""Calls whose first argument is the code and the second what is said."""


def page() -> str:
    """The whole page."""
    lines = (f"| `{code}` | {' · '.join(sentences)} |" for code, sentences in sorted(coded().items()))
    return HEAD + "\n".join(lines) + "\n"


def coded() -> dict[str, list[str]]:
    """The sentences of each code."""
    found: dict[str, list[str]] = {}
    for path in sorted((PROJECT / "backfill").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for code, sentence in _coded(node):
                    if sentence not in found.setdefault(code, []):
                        found[code].append(sentence)
    return found


def uncoded() -> list[str]:
    """Places at which a refusal is raised by a class that says too little, and without a code."""
    broad = {Refused.__name__, "DeclarationError", "SettingsError"}
    return [
        f"{path.relative_to(PROJECT)}:{node.lineno}"
        for path in sorted((PROJECT / "backfill").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and _name(node) in broad
        and not any(keyword.arg == "code" for keyword in node.keywords)
    ]


def _coded(node: ast.Call) -> Iterator[tuple[str, str]]:
    name = _name(node)
    if name in FINDINGS and len(node.args) > 1 and isinstance(node.args[0], ast.Constant):
        yield str(node.args[0].value), _sentence(node.args[1])
        return
    for keyword in node.keywords:
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant) and node.args:
            yield str(keyword.value.value), _sentence(node.args[0])
    kind = getattr(errors, name, None)
    is_bare = node.args and not any(keyword.arg == "code" for keyword in node.keywords)
    if isinstance(kind, type) and issubclass(kind, Refused) and kind is not Refused and is_bare:
        yield kind.code, _sentence(node.args[0])


def _name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _sentence(node: ast.expr) -> str:
    """A text with an ellipsis for whatever is put into it, in one cell of a table."""
    if isinstance(node, ast.Constant):
        text = str(node.value)
    elif isinstance(node, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    else:
        text = "…"
    return " ".join(text.split()).replace("|", "\\|")
