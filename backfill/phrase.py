"""Phrase: the commands that messages tell people to type, as the door at hand spells them."""

from __future__ import annotations

import re
from collections.abc import Callable

_VERBS = "init|new|list|plan|run|status|pause|cancel|verify"
_COMMANDS = re.compile(rf"(?<!flask )(?<![\w/.\-])\bbackfill (?=(?:{_VERBS})\b)")

_programs: dict[str, Callable[[], bool]] = {}


def speak_as(program: str, applies: Callable[[], bool]) -> None:
    """Let messages say `program` where they would say `backfill`, whenever `applies` says that a door is in use."""
    _programs[program] = applies


def phrased(text: str) -> str:
    """The text with its commands as they are typed here."""
    program = next((program for program, applies in _programs.items() if applies()), None)
    return _COMMANDS.sub(f"{program} ", text) if program else text
