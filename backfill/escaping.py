"""Escaping: text that is not ours, made harmless wherever it is shown: on a terminal, in a log, on a page."""

from __future__ import annotations

MOST_CHARACTERS = 500
"""Of one piece of somebody else's text; nobody reads more of it, and what stands around it stays in sight."""


def safe_text(text: str) -> str:
    """The text, in its lines, without anything that a terminal or a log would take for a command."""
    return "\n".join(map(one_line, text.split("\n")))


def one_line(text: str) -> str:
    """The same for what has to be one line: line breaks are escaped too."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def excerpt(text: str) -> str:
    """Somebody else's text as a part of a sentence of ours: one line, and not longer than anybody would read."""
    return one_line(text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…")


def _escaped(character: str) -> str:
    return character if character.isprintable() else f"\\u{ord(character):04x}"
