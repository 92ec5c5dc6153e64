"""Literal: the transform or seed that a JSON definition describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from backfill.declaration.answers import Outputs
from backfill.declaration.changes import Change, Delete, Insert
from backfill.declaration.decorator import Rows, Transform
from backfill.declaration.defining import code_of_problem, problems_of
from backfill.declaration.definition import Arrival, Definition, Kind
from backfill.declaration.document import read_document
from backfill.declaration.forms import ColumnsForm, SeedForm
from backfill.errors import DeclarationError


def from_document(name: str, text: str | bytes) -> Transform[..., Any]:
    """What a JSON definition describes.

    `{"table": …, "where": {…}, "set": {…}}` sets columns, `"delete": true` in the place of `"set"` deletes the rows,
    and `{"table": …, "insert": [{…}], "match": […], "update": […]}` is a seed.

    Raises:
        DeclarationError: it is not JSON, or not a definition.
    """
    try:
        document = read_document(f"{name}.json", text)
        kind = {"kind": Kind.SEED, "arrival": Arrival.NONE} if "insert" in document else {}
        definition = Definition.model_validate({**document, **kind, "name": name})
    except ValidationError as error:
        raise DeclarationError(f"{name}.json: {problems_of(error)}", code=code_of_problem(error)) from None
    if definition.kind is Kind.SEED:
        return _seed(definition)
    return _transform(definition)


def _transform(definition: Definition) -> Transform[..., Any]:
    if definition.deletes and definition.values:
        raise DeclarationError(
            f'{definition.name}.json has "set" and "delete" both; it is one or the other', code="set-and-delete"
        )
    if not definition.deletes and not definition.values:
        raise DeclarationError(
            f'{definition.name}.json: "set" is missing: it holds the columns to write and their values',
            code="set-missing",
        )
    if definition.match or definition.update:
        raise DeclarationError(
            f'{definition.name}.json: "match" and "update" go with "insert"', code="match-without-insert"
        )
    answer = Delete() if definition.deletes else definition.values

    def literal(_: Rows) -> Mapping[str, Any] | Delete | None:
        return answer

    literal.__doc__ = definition.description or None
    return Transform(literal, definition, ColumnsForm(literal, Outputs()))


def _seed(definition: Definition) -> Transform[..., Any]:
    if definition.where is not None or definition.values or definition.deletes:
        raise DeclarationError(
            f'{definition.name}.json: "insert" goes with "match" and "update" alone', code="insert-with-others"
        )

    if not definition.rows:
        raise DeclarationError(f'{definition.name}.json: "insert" holds no row', code="insert-nothing")
    for name in (*definition.match, *definition.update):
        if any(name not in row for row in definition.rows):
            raise DeclarationError(
                f'{definition.name}.json: "match" or "update" names {name}, which a row of "insert" does not give',
                code="match-not-in-row",
            )

    def literal() -> list[Change]:
        return [
            Insert(table, row, match=definition.match, update=definition.update)
            for table in definition.tables
            for row in definition.rows or ()
        ]

    literal.__doc__ = definition.description or None
    literal.__name__ = definition.name
    return Transform(literal, definition, SeedForm(literal, Outputs()))
