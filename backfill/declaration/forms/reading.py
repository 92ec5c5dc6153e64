"""What the forms that read rows into models have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from pydantic import BaseModel

from backfill.declaration.adaptation import tables_of
from backfill.declaration.answers import Outputs
from backfill.declaration.form import Answer, Arguments, Bound, Form, Reading, Walked
from backfill.declaration.gathering import may_link
from backfill.declaration.lookups import Lookup, bind_lookup
from backfill.declaration.models import columns_of_model, may_be_none
from backfill.declaration.writes import Shape, Verb


class ReadingForm(Form):
    """Rows come as models; the answers are gathered into writes."""

    def __init__(
        self,
        function: Callable[..., Any],
        reads: type[BaseModel],
        outputs: Outputs,
        lookups: Mapping[str, Lookup] | None = None,
        *,
        is_stateful: bool = False,
    ) -> None:
        self.function = function
        self.reads: type[BaseModel] = reads
        self.outputs = outputs.models
        self.lookups = lookups or {}
        self._answers = outputs
        self._is_stateful = is_stateful

    def bind(self, walked: Walked | None) -> Bound:
        """Tie the form to a live table."""
        assert walked is not None, "only seeds and steps stand alone"
        fetches = tuple(column for field, column in columns_of_model(self.reads).items() if field not in self.lookups)
        columns = [columns_of_model(model).values() for model in self.outputs]
        writes = tuple(dict.fromkeys(name for names in columns for name in names))
        lookups = [bind_lookup(lookup, walked.adapt, walked.adapt_select) for lookup in self.lookups.values()]
        return Bound(
            fetches=fetches,
            reads=frozenset(fetches),
            writes=writes,
            never_null=frozenset(writes).intersection(*map(_never_null, self.outputs)),
            literals={},
            looks_elsewhere=bool(lookups),
            apply=partial(self.answer, walked),
            lookups=lookups,
            shapes=self._shapes(walked),
            looks_at=frozenset[str]().union(*(tables_of(lookup.source, walked.table) for lookup in lookups)),
            is_stateful=self._is_stateful,
            links=any(map(may_link, self.outputs)),
        )

    def answer(self, walked: Walked, reading: Reading, arguments: Arguments) -> Answer:
        """What the function says of the rows."""
        raise NotImplementedError

    def _shapes(self, walked: Walked) -> tuple[Shape, ...] | None:
        if not self._answers.changes:
            return ()
        own = Shape(Verb.DELETE, walked.name, walked.key, is_own=True)
        return (own,) if self._answers.only_deletes else None


def _never_null(model: type[BaseModel]) -> set[str]:
    columns = columns_of_model(model)
    return {columns[name] for name in model.model_fields if not may_be_none(model, name)}
