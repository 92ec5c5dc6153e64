"""Blueprint: the table that a transform walks, made from its models, its condition and the rows of a test."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ColumnClause
from sqlalchemy.types import NullType, TypeEngine, UserDefinedType

from backfill.checks.types import families_held, families_of
from backfill.declaration.conditions import Condition, Missing
from backfill.declaration.decorator import Transform
from backfill.declaration.definition import Arrival, Kind
from backfill.declaration.models import columns_of_model, takes_none
from backfill.declaration.writes import Recordset
from backfill.errors import Refused
from backfill.testing.end import Row

Spoken = tuple[str, sa.Column[Any]]
"""What is said of a column by one who speaks of it."""

KEY = "id"
"""The key, if the models and rows name none."""

_TYPES: tuple[type[TypeEngine[Any]], ...] = (
    *(sa.Boolean, sa.BigInteger, sa.Float, sa.Date, sa.DateTime, sa.Time, sa.Interval, sa.LargeBinary),
    *(sa.Uuid, sa.Text, sa.JSON),
)
"""The narrowest first."""


class _Untyped(UserDefinedType[Any]):
    """Of SQLite: a column that takes whatever it is given, and gives it back."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Nothing."""
        return ""


def draw_table(metadata: sa.MetaData, transform: Transform[..., Any], name: str, rows: Sequence[Row]) -> sa.Table:
    """The table `name`, with the columns of which the transform and the rows speak, and a key.

    Raises:
        Refused: the transform asks for a column of which nothing is known, or the table is in a schema.
    """
    if "." in name:
        raise Refused(
            f"{name} is in a schema, and a throw-away SQLite file has none: give a database that has (engine=)",
            code="rehearse-schema",
        )
    given = list(_given([*rows, *seeded(transform).get(name, [])]))
    if name not in transform.definition.tables_walked:
        return _table(metadata, name, given)
    read, asked = list(_read(transform)), list(_asked(transform.definition.where))
    written = _written(transform, _table(sa.MetaData(), name, [*read, *given, *asked]))
    return _table(metadata, name, [*read, *written, *given, *asked])


def seeded(transform: Transform[..., Any]) -> dict[str, list[Row]]:
    """What a seed inserts, by table; nothing where only its run can tell."""
    if transform.definition.kind is not Kind.SEED:
        return {}
    found: dict[str, list[Row]] = {}
    for write in transform.form.bind(None).foreknown:
        shape, relation = write.shape, write.relation
        rows = relation.rows if isinstance(relation, Recordset) else ()
        found.setdefault(shape.table, []).extend(dict(zip(shape.columns, values, strict=True)) for _, values in rows)
    return found


def _table(metadata: sa.MetaData, name: str, spoken_of: Iterable[Spoken]) -> sa.Table:
    """Of what is said of a column, the first counts."""
    columns: dict[str, sa.Column[Any]] = {}
    for column, each in spoken_of:
        columns.setdefault(column, each)
    kind = columns[KEY].type if KEY in columns else sa.Integer()
    key = sa.Column(KEY, sa.Integer() if isinstance(kind, sa.Integer) else kind, primary_key=True)
    others = (sa.Column(n, each.type, nullable=each.nullable) for n, each in columns.items() if n != KEY)
    return sa.Table(name, metadata, key, *others)


def _read(transform: Transform[..., Any]) -> Iterator[Spoken]:
    """Columns read: as the input model takes them."""
    model = transform.form.reads
    for field, column in columns_of_model(model).items() if model else ():
        if field not in transform.form.lookups:
            assert model is not None, "a field has a model"
            yield column, _column(column, model.model_fields[field].annotation, nullable=takes_none(model, field))


def _given(rows: Sequence[Row]) -> Iterator[Spoken]:
    """Columns for which a row has a value."""
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row[name] for row in rows if row.get(name) is not None]
        yield name, _of_types(name, {type(value) for value in values})


def _asked(where: Condition | None) -> Iterator[Spoken]:
    """Columns that the condition asks for: as the values are with which it compares them."""
    parts = [] if where is None else list(visitors.iterate(where))
    for part in parts:
        if isinstance(part, BinaryExpression) and isinstance(part.left, ColumnClause):
            value = part.right.value if isinstance(part.right, BindParameter) else None
            values = value if isinstance(value, list) else [value]
            yield part.left.name, _of_types(part.left.name, {type(each) for each in values if each is not None})
    for part in parts:
        if isinstance(part, Missing):
            yield part.column_name, _of_types(part.column_name, set())
        elif isinstance(part, ColumnClause) and not part.is_literal and part.table is None:
            yield part.name, _of_types(part.name, set())


def _written(transform: Transform[..., Any], table: sa.Table) -> Iterator[Spoken]:
    """Columns written: as the output models say, or the expressions; empty before."""
    for model in transform.form.outputs:
        for field, column in columns_of_model(model).items():
            yield column, _column(column, model.model_fields[field].annotation)
    if transform.definition.arrival is Arrival.COLUMNS and transform.definition.kind is Kind.TRANSFORM:
        for column, value in _assigned(transform, table):
            yield column, sa.Column(column, _type_of(value))


def _assigned(transform: Transform[..., Any], table: sa.Table) -> Iterator[tuple[str, Any]]:
    try:
        answer = transform(table)
    except AttributeError as error:
        raise Refused(
            f"{transform.name} asks {table.name} for {error.args[0]}, of which neither a model nor a row of the test "
            "speaks: give a row a value for it, or give a database that has the table (engine=)",
            code="rehearse-column",
        ) from None
    for change in answer if isinstance(answer, list | tuple) else [answer]:
        if isinstance(change, Mapping) and not isinstance(change, BaseModel):
            yield from change.items()


def _column(name: str, annotation: Any, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, _type_for(set(families_of(annotation))), nullable=nullable)


def _type_of(value: Any) -> TypeEngine[Any]:
    """The type of an expression, or of a value that is the same for all rows."""
    if isinstance(value, sa.ColumnElement):
        return _Untyped() if isinstance(value.type, NullType) else value.type
    return _type_for(set(families_of(type(value))))


def _of_types(name: str, types: set[type]) -> sa.Column[Any]:
    return sa.Column(name, _type_for({family for kind in types for family in families_of(kind)}))


def _type_for(families: Collection[str]) -> TypeEngine[Any]:
    """The narrowest type that holds them all; text where nothing is known."""
    if set(families) <= {"text"}:
        return sa.Text()
    return next(kind() for kind in _TYPES if (families_held(kind()) or frozenset()).issuperset(families))
