"""Site: a call, and where it stands."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Any

from backfill.linting.columns import called, literal
from backfill.linting.finding import Place
from backfill.linting.operation import Kind, Loop, Operation
from backfill.linting.scope import Scope


@dataclass(frozen=True)
class Site:
    """One call within the functions that a revision goes through."""

    call: ast.Call
    scope: Scope
    loops: tuple[Loop, ...]

    @property
    def name(self) -> str:
        """The last word of what is called."""
        return called(self.call)

    @property
    def dotted(self) -> str:
        """The whole of what is called, imports followed."""
        return self.scope.module.dotted(self.call.func) or ""

    @property
    def receiver(self) -> ast.expr | None:
        """What the method is called on."""
        return self.call.func.value if isinstance(self.call.func, ast.Attribute) else None

    def operation(self, kind: Kind, verb: str, **facts: Any) -> Operation:
        """The operation that the call is."""
        place = Place(self.scope.module.path, self.call.lineno)
        blank = Operation(kind, verb, place, self.call, self.scope, loops=self.loops)
        return replace(blank, **facts)

    def string(self, position: int) -> str | None:
        """The text that an argument says."""
        return string_at(self.call, position, self.scope)


def string_at(call: ast.Call, position: int, scope: Scope) -> str | None:
    """The text that an argument of a call says; None where it cannot be read."""
    if position >= len(call.args):
        return None
    values = (literal(meaning.node) for meaning in scope.meanings(call.args[position]))
    return next((value for value, is_literal in values if is_literal and isinstance(value, str)), None)
