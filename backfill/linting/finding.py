"""Finding: one mistake in a file, where it is, why it hurts, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finding:
    """What a rule found: the sentence says why, the remedy is there to be pasted."""

    path: Path
    line: int
    code: str
    why: str
    remedy: str
    subject: str
    """What it is found in: a revision's id, or a transform's name. It outlives lines that move."""


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    path: Path
    line: int
