"""Rows as SQL columns: `(users: Rows) -> dict[str, Any]`. They never leave the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel
from sqlalchemy import ClauseElement, ColumnElement, Select, SelectBase, Table

from backfill.declaration.adaptation import columns_of, has_subquery, tables_of
from backfill.declaration.aggregation import combines_rows, has_window, is_distinct
from backfill.declaration.answers import Outputs
from backfill.declaration.changes import Change, Delete, Insert, Update
from backfill.declaration.conditions import NO_TEXT, has_text, suggest
from backfill.declaration.form import Answer, Bound, Form, Walked
from backfill.declaration.models import columns_of_model
from backfill.declaration.writes import Projection, Shape, Verb, Write
from backfill.errors import DeclarationError
from backfill.escaping import excerpt


class ColumnsForm(Form):
    """Rows as SQL columns: the function is called once, with the table, and returns expressions or changes of them."""

    noun = "as SQL columns; they stay in the database"

    def __init__(self, function: Callable[..., Any], outputs: Outputs) -> None:
        self.reads = None
        self.outputs = outputs.models
        self.lookups = {}
        self._function = function

    def bind(self, walked: Walked | None) -> Bound:
        """Tie the form to a live table: call the function with it."""
        assert walked is not None, "only seeds and steps stand alone"
        answers = [_Projected(walked, change) for change in self._answers(walked.table)]
        writes = [answer.write() for answer in answers]
        own = [write for write in writes if write.shape.is_own and write.shape.verb is Verb.UPDATE]
        values = {name: value for write in own for name, value in _projection(write).values.items()}
        literals = {name: value for name, value in values.items() if not isinstance(value, ColumnElement)}
        expressions = [expression for answer in answers for expression in answer.expressions]
        changes = [write for write in writes if write not in own]
        return Bound(
            fetches=None,
            reads=frozenset[str]().union(*(columns_of(expression, walked.table) for expression in expressions)),
            writes=tuple(values),
            never_null=frozenset(name for name, value in literals.items() if value is not None),
            literals=literals,
            looks_elsewhere=bool(changes) or any(has_subquery(expression) for expression in expressions),
            apply=lambda *_: Answer(writes),
            fixes_rows=len(writes) > 1,
            shapes=tuple(write.shape for write in changes),
            foreknown=writes,
            looks_at=frozenset[str]().union(*(tables_of(expression, walked.table) for expression in expressions)),
        )

    def _answers(self, table: Table) -> list[Any]:
        result = self._call(table)
        changes = result if isinstance(result, list | tuple) else [result]
        if not changes or any(isinstance(change, Mapping) and not change for change in changes):
            raise DeclarationError("the function returned no columns to write", code="returned-nothing")
        return list(changes)

    def _call(self, table: Table) -> Any:
        try:
            return self._function(table)
        except DeclarationError:
            raise
        except Exception as error:
            name = str(error.args[0]) if error.args else ""
            if isinstance(error, AttributeError | KeyError) and name.isidentifier():
                hint = suggest(name, table.c.keys())
                raise DeclarationError(
                    f"the function asked {table.name} for {name}, which it does not have.{hint}",
                    code="function-column",
                ) from None
            raise DeclarationError(
                f"the function failed on {table.name}: {type(error).__name__}: {excerpt(str(error))}",
                code="function-failed",
            ) from None


class _Projected:
    """One change of a batch, as expressions over its rows."""

    def __init__(self, walked: Walked, change: Any) -> None:
        self._walked = walked
        self._change = change
        self.expressions: list[ClauseElement] = []

    def write(self) -> Write:
        """The change as a write, its expressions tied to the walked table."""
        change, walked = self._change, self._walked
        if isinstance(change, Insert):
            return self._insert(change)
        if isinstance(change, Delete) and change.table is None:
            return Write(Shape(Verb.DELETE, walked.name, walked.key, is_own=True), Projection({}))
        if isinstance(change, Delete):
            return self._matching(Verb.DELETE, change, {})
        if isinstance(change, Update):
            return self._matching(Verb.UPDATE, change, self._values(change.values))
        values = self._values(change)
        return Write(Shape(Verb.UPDATE, walked.name, walked.key, (), tuple(values), is_own=True), Projection(values))

    def _insert(self, change: Insert[Any]) -> Write:
        source, values = None, {}
        if isinstance(change.values, SelectBase):
            source = self._source(change)
            columns = tuple(str(column.key) for column in source.selected_columns)
        else:
            values = self._values(change.values)
            columns = tuple(values)
        if missing := [name for name in (*change.match, *change.update) if name not in columns]:
            raise DeclarationError(
                f'Insert("{change.table}") matches or updates {missing[0]}, which is none of the columns given',
                code="match-not-given",
            )
        shape = Shape(Verb.INSERT, change.table, change.match, (), columns, change.update)
        return Write(shape, Projection(values, source=source))

    def _source(self, change: Insert[Any]) -> Select[Any]:
        statement = change.values
        what = f'Insert("{change.table}")'
        if not isinstance(statement, Select):
            raise DeclarationError(
                f"{what} takes a plain select(...), to which a batch's range can be added", code="insert-form"
            )
        if is_distinct(statement) and not change.match:
            raise DeclarationError(
                f"{what}: DISTINCT is distinct within a batch only; say match=, which holds for all",
                code="insert-distinct",
            )
        if combines_rows(statement):
            self._require_groups(f"{what} counts, sums or limits rows")
        self._refuse_windows(statement)
        adapted = self._walked.adapt_select(statement)
        self.expressions.append(adapted)
        return adapted

    def _matching(self, verb: Verb, change: Update | Delete, values: dict[str, Any]) -> Write:
        matched = {name: self._value(value) for name, value in change.match.items() if value is not None}
        absent = tuple(name for name in change.match if name not in matched)
        shape = Shape(verb, str(change.table), tuple(matched), absent, tuple(values))
        return Write(shape, Projection(values, matched))

    def _values(self, given: Any) -> dict[str, Any]:
        if isinstance(given, BaseModel):
            return {column: getattr(given, name) for name, column in columns_of_model(type(given)).items()}
        if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
            raise DeclarationError(
                f"the function returned {type(given).__name__}; from Rows it returns a model, "
                'or a dictionary of column name to SQL expression: {"email_lower": func.lower(users.c.email)}, '
                "or changes",
                code="returned-form",
            )
        return {name: self._value(value) for name, value in given.items()}

    def _value(self, value: Any) -> Any:
        value = value.__clause_element__() if hasattr(value, "__clause_element__") else value
        value = value.scalar_subquery() if isinstance(value, SelectBase) else value
        if isinstance(value, ColumnElement):
            self._refuse_windows(value)
            adapted = self._walked.adapt(value)
            self.expressions.append(adapted)
            return adapted
        if isinstance(value, ClauseElement):
            if has_text(value):
                raise DeclarationError(NO_TEXT, code="value-raw-sql")
            raise DeclarationError(f"{type(value).__name__} is no value that a row can get", code="value-form")
        if isinstance(value, Change):
            raise DeclarationError(
                "an Insert stands for its key only where rows come as models, not from Rows", code="link-in-sql"
            )
        return value

    def _refuse_windows(self, expression: Any) -> None:
        if has_window(expression):
            self._require_groups("a window function looks at other rows")

    def _require_groups(self, what: str) -> None:
        if not self._walked.is_grouped:
            raise DeclarationError(
                f"{what}, of which a batch holds only some: say group_by=, so that a batch holds whole groups",
                code="needs-groups",
            )


def _projection(write: Write) -> Projection:
    assert isinstance(write.relation, Projection)
    return write.relation
