"""Page: a page of the documentation as what a reader would do, block by block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?:\{code-block\} )?(?P<language>[\w+-]*)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S
)
_CAPTION = re.compile(r"\A:caption: (?P<file>\S+)\n\n?")
_FILE = re.compile(r"\A(?:#|;|\+\+\+) (?P<file>[\w./-]+\.\w+)(?P<end>, at its end)?\n")
_MATTER = re.compile(r"\A---\n(?P<matter>.*?)^---$", re.M | re.S)
_PROMPT = "$ "


@dataclass(frozen=True)
class Typed:
    """A command, and the output that the page shows for it; None where it shows none at all."""

    line: int
    command: str
    shown: str | None


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the file that its caption or its first comment names."""

    line: int
    language: str
    text: str
    file: str | None = None
    is_appended: bool = False

    def commands(self) -> Iterator[Typed]:
        """What is typed: after each prompt of a console, in each line of a shell script."""
        if self.language == "sh":
            for number, line in enumerate(self.text.splitlines(), self.line + 1):
                if command := re.sub(r"(^|\s+)#.*", "", line):
                    yield Typed(number, command, None)
            return
        number = self.line + 1
        for piece in re.split(r"^\$ ", self.text, flags=re.M)[1:]:
            command, _, shown = re.sub(r"\\\n", "", piece).partition("\n")
            yield Typed(number, command, shown)
            number += piece.count("\n")


@dataclass(frozen=True)
class Page:
    """The text of a page."""

    name: str
    text: str

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> Page:
        """The page in a file."""
        return cls(name or path.name, path.read_text(encoding="utf-8"))

    def blocks(self, *languages: str) -> list[Block]:
        """Its blocks, those of some languages or all, from the top to the bottom."""
        found = [_block(match) for match in _FENCE.finditer(self.text)]
        return [block for block in found if not languages or block.language in languages]

    def block(self, language: str, words: str) -> str:
        """The text of the one block of a language that holds these words."""
        (found,) = [block.text for block in self.blocks(language) if words in block.text]
        return found

    def section(self, title: str) -> Page:
        """A chapter, down to the next one."""
        return Page(self.name, self.text.partition(f"\n## {title}\n")[2].partition("\n## ")[0])

    def chapters(self) -> Iterator[Page]:
        """The page in its chapters; what comes before the first is in it."""
        titles = re.findall(r"^## (.*)$", self.text, re.M)
        yield from (Page(title, self.section(title).text) for title in titles)

    def prose(self) -> str:
        """What is no block, in one line."""
        return re.sub(r"\s+", " ", _FENCE.sub("", self.text))

    def matter(self, key: str, default: str) -> list[str]:
        """The words of a line at the very top, between two lines of dashes."""
        matter = match["matter"] if (match := _MATTER.match(self.text)) else ""
        found = re.search(rf"^{key}: (.*)$", matter, re.M)
        return (found[1] if found else default).split()


def _block(match: re.Match[str]) -> Block:
    line = match.string.count("\n", 0, match.start()) + 1
    text = match["text"]
    if caption := _CAPTION.match(text):
        return Block(line, match["language"], text[caption.end() :], caption["file"])
    if comment := _FILE.match(text):
        return Block(line, match["language"], text, comment["file"], is_appended=bool(comment["end"]))
    return Block(line, match["language"], text)
