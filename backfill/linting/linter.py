"""Linter: the files of a project, read together, and what the rules find in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backfill.errors import Refused
from backfill.linting.declaration import Declaration
from backfill.linting.finding import Finding
from backfill.linting.history import History
from backfill.linting.ignores import CODE, flaws_of, ignores_of
from backfill.linting.module import Module, Modules
from backfill.linting.revision import Revision
from backfill.linting.rule import Flaw
from backfill.linting.rules import DECLARATION_RULES, REVISION_RULES

CODES = {
    **{rule.code: rule.title for rule in REVISION_RULES},
    **{rule.code: rule.title for rule in DECLARATION_RULES},
    CODE: "A comment that ignores a finding names an unknown code, or gives no reason.",
}
"""Every code, and what it stands for."""

_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__"})


@dataclass(frozen=True)
class Reading:
    """The revisions and transforms that were found, and what is wrong with them."""

    revisions: Sequence[Revision]
    declarations: Sequence[Declaration]
    findings: Sequence[Finding]


def lint(paths: Iterable[Path], disabled: Iterable[str] = ()) -> Reading:
    """Read the files and folders, and apply every rule that is not disabled.

    Raises:
        Refused: a path does not exist, or is a revision that cannot be read.
    """
    modules = Modules()
    files = [module for path in _files(paths) if (module := modules.read(path))]
    revisions = [revision for module in files if (revision := Revision.of(modules, module))]
    declarations = [declaration for module in files for declaration in Declaration.all_of(modules, module)]
    found = (finding for finding in _findings(revisions, declarations) if finding.code not in set(disabled))
    order = sorted(dict.fromkeys(found), key=lambda each: (str(each.path), each.line, each.code))
    return Reading(revisions, declarations, order)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise Refused(
                f"{path} does not exist. Name a folder of revisions: backfill check migrations", code="check-no-path"
            )
        yield from (
            (each for each in sorted(path.rglob("*.py")) if not _is_skipped(each, path)) if path.is_dir() else [path]
        )


def _is_skipped(path: Path, root: Path) -> bool:
    return any(part in _SKIPPED or part.startswith(".") for part in path.relative_to(root).parts)


def _findings(revisions: Sequence[Revision], declarations: Sequence[Declaration]) -> Iterator[Finding]:
    history = History(revisions)
    for revision in revisions:
        flaws = ((rule.code, flaw) for rule in REVISION_RULES for flaw in rule.inspect(revision, history))
        yield from _kept(revision.module, revision.id, flaws)
    for declaration in declarations:
        flaws = ((rule.code, flaw) for rule in DECLARATION_RULES for flaw in rule.inspect(declaration, history))
        yield from _kept(declaration.module, declaration.name, flaws)


def _kept(module: Module, subject: str, flaws: Iterable[tuple[str, Flaw]]) -> Iterator[Finding]:
    """What no comment says is meant, and what is wrong with the comments themselves."""
    ignores = ignores_of(module)
    comments = ((CODE, flaw) for flaw in flaws_of(module, CODES))
    for code, flaw in (*flaws, *comments):
        finding = Finding(flaw.place.path, flaw.place.line, code, flaw.why, flaw.remedy, subject)
        if not any(ignore.covers(finding) for ignore in ignores):
            yield finding
