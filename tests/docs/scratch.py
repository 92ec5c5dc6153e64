"""Scratch: an empty folder and a shell, in which a page is followed as a reader would."""

from __future__ import annotations

import difflib
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

from tests.docs.page import Block, Page, Typed

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180
PROSE = frozenset({"text", "svg", ""})
"""Languages that nobody runs."""

_SHELL = """
[ -f "$SHELL_STATE" ] && . "$SHELL_STATE"
cd "${SHELL_PWD:-.}"
eval "$1" </dev/null 2>&1
code=$?
SHELL_PWD=$PWD
export SHELL_PWD
export -p > "$SHELL_STATE"
exit $code
"""
_LOGGED = re.compile(r"^INFO  \[(alembic|flask_migrate|backfill).*\n", re.M)
_KILLED = re.compile(r"^\S*bash: line \d+: +\d+ (Killed|Terminated).*$", re.M)
_ANY_LINES = "…"


class Differs(AssertionError):
    """A page does not say what happens."""


class Scratch:
    """A folder, and a shell that remembers what is exported in it."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None, *, installs: bool = False) -> None:
        self.folder = folder
        self._installs = installs
        self._state = folder.with_name(f"{folder.name}.sh")
        self._environment = _clean_environment() | (environment or {}) | {"SHELL_STATE": str(self._state)}
        folder.mkdir(parents=True, exist_ok=True)

    def follow(self, page: Page) -> None:
        """Do all that a page says; raises Differs where something else happens, or a block is for nobody to run."""
        for block in page.blocks():
            try:
                self._follow(block)
            except Differs as error:
                raise Differs(f"{page.name}, {error}") from None

    def _follow(self, block: Block) -> None:
        if block.language == "diff":
            self._edit(block)
        elif block.file is not None:
            self._write(block)
        elif block.language in ("console", "sh"):
            self._type(list(block.commands()))
        elif block.language == "python":
            self._expect(Typed(block.line, f"python - <<'END'\n{block.text}\nEND", None))
        elif block.language not in PROSE:
            raise Differs(f"line {block.line}: a block of {block.language} names no file, so nobody runs it")

    # ── files ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _write(self, block: Block) -> None:
        path = self.folder / str(block.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        if block.is_appended:
            added = block.text.partition("\n")[2]
            path.write_text(f"{path.read_text(encoding='utf-8').rstrip()}\n{added}", encoding="utf-8")
        else:
            path.write_text(block.text, encoding="utf-8")

    def _edit(self, block: Block) -> None:
        """Put the lines with + in the place of those with -; what has neither must be there already."""
        lines = [line for line in block.text.splitlines() if not line.startswith(("+++ ", "--- "))]
        old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
        new = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
        path = self.folder / str(block.file)
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise Differs(f"line {block.line}: {block.file} holds what is changed {text.count(old)} times:\n{text}")
        path.write_text(text.replace(old, new), encoding="utf-8")

    # ── commands ────────────────────────────────────────────────────────────────────────────────────────────────

    def _type(self, commands: list[Typed]) -> None:
        """Each must end well, unless the reader is told to look at its exit code next."""
        code = 0
        for number, typed in enumerate(commands):
            if typed.command == "echo $?":
                _compare(typed, f"{code}\n")
                continue
            is_asked = any(later.command == "echo $?" for later in commands[number + 1 : number + 2])
            code = self._expect(typed, may_fail=is_asked)

    def _expect(self, typed: Typed, *, may_fail: bool = False) -> int:
        if typed.command.startswith("pip install") and not self._installs:
            _require_installed(typed)
            return 0
        code, printed = self.run(typed.command)
        if code and not may_fail:
            raise Differs(f"line {typed.line}: `{typed.command}` ended with {code}:\n{printed}")
        if typed.shown is not None:
            _compare(typed, printed)
        return code

    def run(self, command: str) -> tuple[int, str]:
        """Type a command; gives its exit code and what it printed."""
        ended = subprocess.run(
            ["bash", "-c", _SHELL, "bash", command],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return ended.returncode, ended.stdout


def _clean_environment() -> dict[str, str]:
    """What a reader's shell would have, with the programs of this Python first."""
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "PIP_INDEX_URL") if name in os.environ}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(PROJECT),
        "PYTHONDONTWRITEBYTECODE": "1",  # a file that is written twice in a second would be taken from its cache
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "80",
    }


def _require_installed(typed: Typed) -> None:
    """What a page has installed exists, and is installed where the page is followed."""
    for requirement in typed.command.split()[2:]:
        if not requirement.startswith("-"):
            distribution(re.split(r"[\[<>=~;]", requirement.strip("'\""))[0])


def _compare(typed: Typed, printed: str) -> None:
    """See that the output is as shown: … stands for what varies in a line, or alone for any lines."""
    shown = _tidied(typed.shown or "")
    printed = _tidied(_KILLED.sub(r"\1", printed if "INFO" in shown else _LOGGED.sub("", printed)))
    pattern = "".join(_pattern(line) for line in shown.splitlines())
    if not re.fullmatch(pattern, printed):
        difference = "\n".join(difflib.unified_diff(shown.splitlines(), printed.splitlines(), "shown", "printed", n=9))
        raise Differs(f"line {typed.line}: `{typed.command}` prints something else:\n{difference}")


def _pattern(line: str) -> str:
    if line.strip() == _ANY_LINES:
        return r"(?:[^\n]*\n)*"
    return r"[^\n]*".join(re.escape(part) for part in line.split(_ANY_LINES)) + r"\n"


def _tidied(text: str) -> str:
    """The text without what a column's width decides."""
    lines = [re.sub(r"(?<=\S) {2,}", "  ", line.rstrip()) for line in text.strip("\n").splitlines()]
    return "".join(f"{line}\n" for line in lines)
