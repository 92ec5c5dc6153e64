"""What is written is what the output model allows, as the database gives it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from backfill.declaration.gathering import may_link
from backfill.declaration.models import columns_of_model
from backfill.testing.end import Row
from backfill.testing.law import Law
from backfill.testing.stage import Stage

Problem = tuple[str, str]
"""The column, and what is wrong with it."""


def _prove(stage: Stage) -> str | None:
    for table in stage.transform.definition.tables_walked:
        for name in stage.changed(table, stage.undisturbed):
            row = stage.named(stage.result)[table][name]
            problems = [list(_problems(model, row)) for model in _models(stage)]
            if all(problems):
                column, problem = problems[0][0]
                return f"in {table}, the row {name} has {column} = {row.get(column)!r} afterwards: {problem}"
    return None


def _models(stage: Stage) -> list[type[BaseModel]]:
    """The models of a row's new values; one in which an Insert stands for its key does not know the key itself."""
    return [model for model in stage.transform.form.outputs if not may_link(model)]


def _problems(model: type[BaseModel], row: Row) -> Iterator[Problem]:
    given: dict[str, Any] = {column: row[column] for column in columns_of_model(model).values()}
    try:
        model.model_validate(given)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            yield str(next(iter(problem["loc"]), model.__name__)), f"{model.__name__} says: {problem['msg']}"


def _exempts(stage: Stage) -> str | None:
    return None if _models(stage) else "no model says what may be written to a row"


LAW = Law(
    "outputs",
    "what is written can be read back through the output model.",
    "A model is checked when it is made: look for model_construct, for a field that is set afterwards, and for a "
    "column that keeps another value than it was given",
    _prove,
    _exempts,
)
