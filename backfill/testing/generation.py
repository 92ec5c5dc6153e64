"""Generation: rows on which the laws of a transform can be proved, from its input model and its condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ColumnClause, Null

from backfill.declaration.conditions import Condition, Missing, conjuncts
from backfill.declaration.decorator import Transform
from backfill.declaration.models import columns_of_model
from backfill.errors import RowRejected
from backfill.testing.blueprint import KEY, seeded
from backfill.testing.contents import Contents
from backfill.testing.end import Row
from backfill.testing.strategies import strategy_of_field

MOST_ROWS = 4

_SETTINGS: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "derandomize": True,
    "phases": [Phase.generate, Phase.shrink],
    "suppress_health_check": list(HealthCheck),
}
"""A law is proved on the same rows every day: what differs from day to day is found by a property test."""


def prove_on_made_rows(transform: Transform[..., Any], times: int, proof: Callable[[Contents], None]) -> None:
    """Call a proof with rows, so many times; sets of them with a row that the transform rejects do not count."""

    @settings(**_SETTINGS, max_examples=times)
    @given(_tables(transform))
    def prove(rows: Contents) -> None:
        try:
            proof(rows)
        except RowRejected as error:
            if not error.is_meant:
                raise
            reject()

    prove()


def _tables(transform: Transform[..., Any]) -> st.SearchStrategy[Contents]:
    walked = transform.definition.tables_walked
    if not walked:
        return st.just({name: [] for name in seeded(transform)})
    return st.fixed_dictionaries(dict.fromkeys(walked, _rows(transform)))


def _rows(transform: Transform[..., Any]) -> st.SearchStrategy[list[Row]]:
    """Some rows that the transform's input model takes, and its condition as far as that is plain."""
    wanted = {name: st.just(value) for name, value in _wanted(transform.definition.where)}
    rows = st.fixed_dictionaries({**_fields(transform), **wanted})
    return st.lists(rows, min_size=2, max_size=MOST_ROWS, unique_by=lambda row: repr(row.get(KEY, id(row))))


def _fields(transform: Transform[..., Any]) -> dict[str, st.SearchStrategy[Any]]:
    model, lookups = transform.form.reads, transform.form.lookups
    if model is None:
        return {}
    columns = columns_of_model(model)
    return {columns[n]: strategy_of_field(field) for n, field in model.model_fields.items() if n not in lookups}


def _wanted(where: Condition | None) -> Iterator[tuple[str, Any]]:
    """Values with which the condition takes a row, of the parts that name a column and a value."""
    for part in () if where is None else conjuncts(where):
        if isinstance(part, Missing):
            yield part.column_name, None
        if isinstance(part, BinaryExpression) and isinstance(part.left, ColumnClause):
            match part.operator, part.right:
                case operators.eq, BindParameter() as given:
                    yield part.left.name, given.value
                case operators.in_op, BindParameter(value=[first, *_]):
                    yield part.left.name, first
                case operators.is_, Null():
                    yield part.left.name, None
