"""Rows without a source: `() -> list[Change]`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from backfill.declaration.answers import Outputs
from backfill.declaration.changes import Change
from backfill.declaration.form import Answer, Arguments, Bound, Form, Reading, Walked
from backfill.declaration.gathering import Gathering
from backfill.declaration.rejection import rejecting


class SeedForm(Form):
    """No rows in, changes out: one batch."""

    noun = "none: a seed has no source"

    def __init__(self, function: Callable[..., Any], outputs: Outputs) -> None:
        self.reads = None
        self.outputs = ()
        self.lookups = {}
        self._function = function

    def bind(self, walked: Walked | None) -> Bound:
        """Nothing to tie; what it writes is known by asking it, unless it wants to be given something."""
        asks = inspect.signature(self._function).parameters
        writes = None if asks else self._answer(Reading(), {}).writes
        return Bound(
            fetches=None,
            reads=frozenset(),
            writes=(),
            never_null=frozenset(),
            literals={},
            looks_elsewhere=False,
            apply=self._answer,
            shapes=None if writes is None else tuple(write.shape for write in writes),
            foreknown=writes or (),
        )

    def _answer(self, _: Reading, arguments: Arguments) -> Answer:
        gathering = Gathering(None)
        with rejecting(self._function.__name__):
            answer = self._function(**arguments)
            gathering.add((), answer if isinstance(answer, Change) else list(answer or ()))
        return Answer(gathering.writes())
