"""Splitting: one revision that mixes schema and rows becomes three, and a transform.

The last of the three keeps the revision's id: a database that is past the revision stays past all of them, and the
revisions that follow need no change.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from backfill.errors import Refused
from backfill.linting.module import Function
from backfill.linting.operation import Kind
from backfill.linting.parts import Part, needed, parts_of, text_of
from backfill.linting.revision import Revision
from backfill.linting.shape import Fill, NotPlain, fill_of
from backfill.linting.templates import REVISION, block, transform_file

LONGEST_ID = 32
"""Characters of a revision's id, as Alembic's own table has it."""


@dataclass(frozen=True)
class Split:
    """The files that take the place of a revision, by their paths; the revision's own is among them."""

    revision: Revision
    revisions: dict[Path, str]
    transforms: dict[str, str]


def split(revision: Revision) -> Split:
    """The three revisions and the transforms of a plain data step.

    Raises:
        NotPlain: only its author can say what belongs where.
    """
    parts = parts_of(revision, "upgrade")
    _require_free(revision, parts)
    _require_plain(parts)
    return Split(revision, dict(_Draft(revision, parts).files()), dict(map(transform_file, _fills(parts))))


def write_split(made: Split, transforms: Path) -> Iterator[str]:
    """Write the files of a split.

    Raises:
        Refused: one of them is there already; nothing was written then.
    """
    files = made.revisions | {transforms / name: text for name, text in made.transforms.items()}
    for path in files:
        if path.exists() and path != made.revision.path:
            raise Refused(f"{path} is there already, and nothing was written", code="split-exists")
    transforms.mkdir(parents=True, exist_ok=True)
    if not (transforms / "__init__.py").exists():
        (transforms / "__init__.py").touch()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
        yield f"written  {path}"


def _require_free(revision: Revision, parts: Sequence[Part]) -> None:
    """Nothing else hangs on the revision, and all that it does stands in its two functions."""
    direct = {id(each) for part in parts for each in part.operations}
    if revision.is_tied:
        raise NotPlain("branch labels or depends_on are bound to its id")
    if any(_is_special(revision.module.functions.get(name)) for name in ("upgrade", "downgrade")):
        raise NotPlain("its functions take arguments, or are decorated")
    if any(id(each) not in direct for each in revision.upgrade):
        raise NotPlain("part of what it does is in another function")
    if not revision.is_mixed:
        raise NotPlain("it does not change schema and rows")


def _require_plain(parts: Sequence[Part]) -> None:
    """Each statement does one thing, and what follows the rows is NOT NULL alone."""
    for part in parts:
        if part.kinds - {Kind.SCHEMA, Kind.ROWS} or len(part.kinds) > 1:
            raise NotPlain(f"line {part.node.lineno} reads, commits, or does several things")
        if Kind.ROWS in part.kinds and (not isinstance(part.node, ast.Expr) or len(part.operations) > 1):
            raise NotPlain(f"the rows in line {part.node.lineno} are not changed by a single statement")
    for part in _after(parts):
        if any(not each.is_not_null for each in part.operations):
            raise NotPlain(f"line {part.node.lineno}, after the rows, is more than NOT NULL")


def _is_special(function: Function | None) -> bool:
    return function is not None and bool(
        function.args.args or function.decorator_list or isinstance(function, ast.AsyncFunctionDef)
    )


def _fills(parts: Sequence[Part]) -> list[Fill]:
    new = _new_columns(_before(parts))
    fills = [fill_of(each, new) for part in parts for each in part.operations if each.kind is Kind.ROWS]
    if len({fill.name for fill in fills}) < len(fills):
        raise NotPlain("it fills the same column more than once")
    return fills


def _new_columns(parts: Sequence[Part]) -> dict[str, set[str]]:
    """The columns, by table, that the revision adds and that hold NULL."""
    found: dict[str, set[str]] = {}
    for operation in (each for part in parts for each in part.operations):
        if operation.verb == "add_column" and operation.table and operation.column and not _is_filled(operation.call):
            found.setdefault(operation.table, set()).add(operation.column)
    return found


def _is_filled(call: ast.AST) -> bool:
    return any(isinstance(node, ast.keyword) and node.arg == "server_default" for node in ast.walk(call))


def _before(parts: Sequence[Part]) -> list[Part]:
    first = next(place for place, part in enumerate(parts) if Kind.ROWS in part.kinds)
    return [part for part in parts[:first] if part.operations]


def _after(parts: Sequence[Part]) -> list[Part]:
    first = next((place for place, part in enumerate(parts) if Kind.ROWS in part.kinds), len(parts))
    return [part for part in parts[first:] if Kind.SCHEMA in part.kinds]


class _Draft:
    """The texts of the three revisions."""

    def __init__(self, revision: Revision, parts: Sequence[Part]) -> None:
        self._revision = revision
        self._parts = parts
        self._names = [fill.name for fill in _fills(parts)]
        document = ast.get_docstring(revision.module.tree) or revision.path.stem
        self._title = document.splitlines()[0].rstrip(".")

    def files(self) -> Iterator[tuple[Path, str]]:
        path, own = self._revision.path, self._revision.id
        expand, fill = _id(own, "expand"), _id(own, "fill")
        narrowed, rest = self._downgrade()
        before, after = ([part.text for part in each] for each in (_before(self._parts), _after(self._parts)))
        yield path.with_name(f"{path.stem}_expand.py"), self._text("expand", expand, self._parent(), before, rest)
        yield (
            path.with_name(f"{path.stem}_fill.py"),
            self._text("fill", fill, repr(expand), self._calls("run"), self._calls("reset")),
        )
        yield path, self._text("contract", own, repr(fill), [*self._calls("require"), *after], narrowed)

    def _calls(self, verb: str) -> list[str]:
        names = self._names[::-1] if verb == "reset" else self._names
        return [f'{verb}_backfill("{name}")' for name in names]

    def _downgrade(self) -> tuple[list[str], list[str]]:
        """What undoes the contract, and what undoes the rest; the former is made if the author forgot it."""
        parts = parts_of(self._revision, "downgrade")
        columns = {(each.table, each.column) for part in _after(self._parts) for each in part.operations}
        narrowed = [
            part
            for part in parts
            if part.operations
            and all((each.table, each.column) in columns and each.verb == "alter_column" for each in part.operations)
        ]
        made = [part.text.replace("nullable=False", "nullable=True") for part in _after(self._parts)[::-1]]
        return [part.text for part in narrowed] or made, [part.text for part in parts if part not in narrowed]

    def _parent(self) -> str:
        for node in self._revision.module.tree.body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            if any(isinstance(each, ast.Name) and each.id == "down_revision" for each in targets):
                return ast.unparse(node.value)  # type: ignore[attr-defined]
        return repr(self._revision.parents[0]) if self._revision.parents else "None"

    def _text(self, role: str, revision: str, parent: str, upgrade: Sequence[str], downgrade: Sequence[str]) -> str:
        module = self._revision.module
        local = {name: self._local(name, texts) for name, texts in (("upgrade", upgrade), ("downgrade", downgrade))}
        bodies = [*local["upgrade"], *upgrade, *local["downgrade"], *downgrade]
        top = [(node, text_of(module, node)) for node in module.tree.body if not _is_frame(node)]
        kept = needed(top, bodies)
        imports = [text for node, text in top if text in kept and isinstance(node, ast.Import | ast.ImportFrom)]
        others = [text for text in kept if text not in imports]
        ours = sorted({text.partition("(")[0] for text in bodies if text.partition("(")[0].endswith("_backfill")})
        if ours:
            imports.append(f"{chr(10) if imports else ''}from backfill.alembic import {', '.join(ours)}")
        return REVISION.format(
            title=f"{self._title}: {role}.",
            imports="\n".join(imports),
            revision=revision,
            parent=parent,
            constants="".join(f"\n{text}\n" for text in others),
            upgrade=block([*local["upgrade"], *upgrade]),
            downgrade=block([*local["downgrade"], *downgrade]),
        )

    def _local(self, name: str, texts: Sequence[str]) -> list[str]:
        idle = [(part.node, part.text) for part in parts_of(self._revision, name) if not part.operations]
        return needed([each for each in idle if each[1] not in texts], texts)


def _is_frame(node: ast.stmt) -> bool:
    """What every revision has and each of the three gets of its own."""
    if isinstance(node, ast.FunctionDef):
        return node.name in ("upgrade", "downgrade")
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    names = {each.id for each in targets if isinstance(each, ast.Name)}
    return bool(names & {"revision", "down_revision"}) or isinstance(node, ast.Expr)


def _id(own: str, role: str) -> str:
    """An id that is the same whenever the revision is split."""
    readable = f"{own}_{role}"
    return readable if len(readable) <= LONGEST_ID else sha256(readable.encode()).hexdigest()[:12]
