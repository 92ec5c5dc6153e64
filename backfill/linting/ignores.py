"""Ignores: what an author says is meant, in a comment with its reason: `# backfill: ignore[code] reason`."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from backfill.linting.finding import Finding, Place
from backfill.linting.module import Module
from backfill.linting.rule import Flaw

CODE = "ignore"
_COMMENT = re.compile(r"#\s*backfill:\s*ignore\[(?P<codes>[^\]]*)\]\s*(?P<reason>.*)")
_LIKE_ONE = re.compile(r"#\s*backfill:\s*ignore\b")


@dataclass(frozen=True)
class Ignore:
    """A comment, and the lines it speaks of: its own, and the next where it stands alone."""

    line: int
    codes: frozenset[str]
    reason: str
    is_alone: bool

    def covers(self, finding: Finding) -> bool:
        """Whether a finding is meant."""
        lines = (self.line, self.line + 1) if self.is_alone else (self.line,)
        return bool(self.reason) and finding.code in self.codes and finding.line in lines


def ignores_of(module: Module) -> list[Ignore]:
    """The comments of a file."""
    return [_ignore(token) for token in _comments(module.text)]


def flaws_of(module: Module, known: Collection[str]) -> Iterator[Flaw]:
    """Comments that say nothing, or name what does not exist."""
    for ignore in ignores_of(module):
        place = Place(module.path, ignore.line)
        unknown = ignore.codes - set(known)
        if not ignore.codes or unknown:
            wrong = ", ".join(sorted(unknown)) or "nothing"
            yield Flaw(place, f"this comment ignores {wrong}; the codes are {', '.join(known)}", _EXAMPLE)
        elif not ignore.reason:
            yield Flaw(place, "this comment gives no reason, so it ignores nothing", _EXAMPLE)


_EXAMPLE = "# backfill: ignore[unbatched] forty rows, and never more"


def _comments(text: str) -> Iterator[tokenize.TokenInfo]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and _LIKE_ONE.search(token.string):
            yield token


def _ignore(token: tokenize.TokenInfo) -> Ignore:
    found = _COMMENT.search(token.string)
    codes = frozenset(code.strip() for code in found["codes"].split(",")) - {""} if found else frozenset[str]()
    is_alone = not token.line[: token.start[1]].strip()
    return Ignore(token.start[0], codes, found["reason"].strip() if found else "", is_alone)
