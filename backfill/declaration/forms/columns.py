"""As SQL columns: `(users: Rows) -> dict[str, Any] | Model`; the rows never leave the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ClauseElement, ColumnElement, SelectBase, Table

from backfill.declaration.adaptation import columns_of, has_subquery
from backfill.declaration.changes import Projection, Verb, Write
from backfill.declaration.conditions import NO_TEXT, has_text, suggest
from backfill.declaration.form import Bound, Form, Walked, columns_of_model
from backfill.errors import DeclarationError


class ColumnsForm(Form):
    """As SQL columns: the function is called once, with the table, and returns an expression per written column."""

    noun = "as SQL columns; they stay in the database"

    def __init__(self, function: Callable[..., Any], output: type[BaseModel] | None) -> None:
        self.reads = None
        self.outputs = () if output is None else (output,)
        self._function = function

    def bind(self, walked: Walked) -> Bound:
        """Tie the form to a live table: call the function with it."""
        values = {name: _adapted(value, walked) for name, value in self._answer(walked.table).items()}
        expressions = [value for value in values.values() if isinstance(value, ColumnElement)]
        literals = {name: value for name, value in values.items() if not isinstance(value, ColumnElement)}
        write = Write(Verb.UPDATE, walked.key, tuple(values), Projection(values))
        return Bound(
            fetches=None,
            reads=frozenset[str]().union(*(columns_of(expression, walked.table) for expression in expressions)),
            writes=tuple(values),
            never_null=frozenset(name for name, value in literals.items() if value is not None),
            literals=literals,
            looks_elsewhere=any(has_subquery(expression) for expression in expressions),
            apply=lambda _: [write],
        )

    def _answer(self, table: Table) -> dict[str, Any]:
        result = self._call(table)
        if isinstance(result, BaseModel):
            return {column: getattr(result, name) for name, column in columns_of_model(type(result)).items()}
        if not isinstance(result, Mapping) or not all(isinstance(name, str) for name in result):
            raise DeclarationError(
                f"the function returned {type(result).__name__}; from Rows it returns a model, "
                'or a dictionary of column name to SQL expression: {"email_lower": func.lower(users.c.email)}'
            )
        if not result:
            raise DeclarationError("the function returned no columns to write")
        return dict(result)

    def _call(self, table: Table) -> Any:
        try:
            return self._function(table)
        except Exception as error:
            name = str(error.args[0]) if error.args else ""
            if isinstance(error, AttributeError | KeyError) and name.isidentifier():
                hint = suggest(name, table.c.keys())
                raise DeclarationError(
                    f"the function asked {table.name} for {name}, which it does not have.{hint}"
                ) from None
            raise DeclarationError(f"the function failed on {table.name}: {type(error).__name__}: {error}") from None


def _adapted(value: Any, walked: Walked) -> Any:
    value = value.__clause_element__() if hasattr(value, "__clause_element__") else value
    value = value.scalar_subquery() if isinstance(value, SelectBase) else value
    if isinstance(value, ColumnElement):
        return walked.adapt(value)
    if isinstance(value, ClauseElement):
        raise DeclarationError(NO_TEXT if has_text(value) else f"{type(value).__name__} is no value that a row can get")
    return value
