"""Operation: one thing that a revision does, in the order in which it does it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from enum import StrEnum

from backfill.linting.finding import Place
from backfill.linting.scope import Scope
from backfill.linting.statement import Statement

Loop = ast.For | ast.While | ast.AsyncFor


class Kind(StrEnum):
    """What an operation touches."""

    SCHEMA = "schema"
    ROWS = "rows"
    READ = "read"
    COMMIT = "commit"
    FILL = "fill"
    """run_backfill"""
    GATE = "gate"
    """require_backfill"""
    RESET = "reset"
    """reset_backfill"""


@dataclass(frozen=True, eq=False)
class Operation:
    """One call, and what is known of it."""

    kind: Kind
    verb: str
    place: Place
    call: ast.AST
    scope: Scope
    statement: Statement | None = None
    table: str | None = None
    column: str | None = None
    name: str | None = None
    """The transform that is run, waited for or reset."""
    loops: tuple[Loop, ...] = ()
    """The loops it stands in, the outermost first, also those around calls that led to it."""
    is_orm: bool = False
    is_built: bool = False
    """Whether it was built with SQLAlchemy instead of written as SQL."""

    @property
    def is_not_null(self) -> bool:
        """Whether it makes a column NOT NULL."""
        return (
            isinstance(self.call, ast.Call)
            and any(
                each.arg == "nullable" and isinstance(each.value, ast.Constant) and each.value.value is False
                for each in self.call.keywords
            )
            and self.verb == "alter_column"
        )
