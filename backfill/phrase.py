"""Phrase: what people are told, as it may be shown, with the commands to type as the door at hand spells them."""

from __future__ import annotations

import re
from collections.abc import Callable

from backfill.escaping import safe_text

_VERBS = "init|new|list|check|split|plan|run|status|pause|cancel|verify|rejections|undo|forget|revision"
_COMMANDS = re.compile(rf"(?<!flask )(?<![\w/.\-])\bbackfill (?=(?:{_VERBS})\b)")

_programs: dict[str, Callable[[], bool]] = {}


def speak_as(program: str, applies: Callable[[], bool]) -> None:
    """Let messages say `program` where they would say `backfill`, whenever `applies` says that a door is in use."""
    _programs[program] = applies


def counted(number: int, thing: str) -> str:
    """So many of a thing that is named in the singular."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def phrased(text: str) -> str:
    """The text as it may be shown, with its commands as they are typed here. Whatever is told goes through this."""
    program = next((program for program, applies in _programs.items() if applies()), None)
    shown = safe_text(text)
    return _COMMANDS.sub(f"{program} ", shown) if program else shown
