"""Remedies: what to write instead, with the names of the revision at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backfill.linting.operation import Kind, Operation
from backfill.linting.parts import parts_of
from backfill.linting.revision import Revision
from backfill.linting.shape import NotPlain, fill_of, transform_name
from backfill.linting.splitting import split
from backfill.linting.sql import UNKNOWN
from backfill.linting.templates import block, transform_file

_FORMS = {
    "UPDATE": '@backfill.transform("{table}", where=is_missing("{column}"))\n'
    "def {name}(rows: Rows) -> dict[str, Any]:\n"
    '    return {{"{column}": ...}}  # what {table}.{column} becomes',
    "DELETE": '@backfill.transform("{table}", where=...)  # the rows that go\n'
    "def {name}(rows: Rows) -> Delete:\n"
    "    return Delete()",
    "INSERT": "@backfill.seed()\n"
    "def {name}() -> list[Insert]:\n"
    '    return [Insert("{table}", {{...}}, match="...")]  # match: what makes a second run harmless',
}


def three_revisions(revision: Revision) -> str:
    """Expand, fill and contract, and the transform; whole files where the step is plain."""
    try:
        made = split(revision)
    except NotPlain:
        return "\n\n\n".join(_outline(revision))
    files = [*made.transforms.items(), *((path.name, text) for path, text in made.revisions.items())]
    return "\n".join(f"# {name}\n{text}" for name, text in files)


def as_transform(write: Operation) -> str:
    """The transform that does what a statement does, in batches, and the line that runs it."""
    try:
        fill = fill_of(write, {})
        name, (file, text) = fill.name, transform_file(fill)
    except NotPlain:
        name, file, text = name_of(write), f"{name_of(write)}.py", _form(write)
    return f"# transforms/{file}\n{text.strip()}\n\n\n# the revision\n{_function(_calls('run', [name]))}"


def name_of(write: Operation) -> str:
    """What the transform of a write would be called."""
    verb = {"UPDATE": "fill", "INSERT": "add", "DELETE": "delete"}.get(write.verb, "change")
    column = write.column if write.verb == "UPDATE" else None
    return transform_name(verb, write.table, column) or f"{verb}_rows"


def known(name: str | None, otherwise: str) -> str:
    """The name, or a word in its place where it cannot be read."""
    return name if name and UNKNOWN not in name else otherwise


def _form(write: Operation) -> str:
    form = _FORMS.get(write.verb, _FORMS["DELETE"])
    return form.format(name=name_of(write), table=known(write.table, "TABLE"), column=known(write.column, "COLUMN"))


def _outline(revision: Revision) -> Iterator[str]:
    """The revision's own schema statements around the calls that take the place of its data step."""
    names = list(dict.fromkeys([*map(name_of, revision.writes), *(str(each.name) for each in revision.fills)]))
    before, after = _around(revision)
    for write in {name_of(each): each for each in revision.writes}.values():
        yield f"# transforms/{name_of(write)}.py\n{_form(write)}"
    yield f"# 1: expand\n{_function(before)}"
    yield f"# 2: fill\n{_function(_calls('run', names))}"
    yield f"# 3: contract\n{_function([*_calls('require', names), *after])}"


def _around(revision: Revision) -> tuple[list[str], list[str]]:
    """Statements that change schema alone, before the first row is changed and after it."""
    sides: tuple[list[str], list[str]] = ([], [])
    is_after = False
    for part in parts_of(revision, "upgrade"):
        is_after = is_after or bool(part.kinds & {Kind.ROWS, Kind.FILL})
        if part.kinds == {Kind.SCHEMA}:
            sides[is_after].append(part.text)
    return sides


def _calls(verb: str, names: Sequence[str]) -> list[str]:
    return [f'{verb}_backfill("{name}")' for name in names]


def _function(lines: Sequence[str]) -> str:
    return f"def upgrade() -> None:\n{block(lines)}"
