"""Paging: loops that take rows piece by piece, and what is read and written in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from backfill.linting.operation import Kind, Loop, Operation
from backfill.linting.revision import Revision


@dataclass(frozen=True)
class Page:
    """A read within a loop, and the writes of the same loop."""

    loop: Loop
    read: Operation
    writes: list[Operation]


def pages_of(revision: Revision) -> Iterator[Page]:
    """Every read in the innermost of its loops that also writes."""
    for read in revision.upgrade:
        if read.kind is not Kind.READ or read.statement is None:
            continue
        for loop in reversed(read.loops):
            writes = [each for each in revision.writes if loop in each.loops]
            if writes:
                yield Page(loop, read, writes)
                break


def iterated(write: Operation) -> list[ast.For]:
    """The loops over rows in which a write stands."""
    return [loop for loop in write.loops if isinstance(loop, ast.For)]
