"""Target: the user's table, tied to a transform; only this module and the dialects touch the user's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    ClauseElement,
    ColumnElement,
    MetaData,
    Select,
    Table,
    UniqueConstraint,
    and_,
    func,
    inspect,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.exc import NoSuchTableError

from backfill.batch import Batch
from backfill.database import Database
from backfill.declaration.adaptation import adapt, columns_of, has_subquery
from backfill.declaration.changes import Projection, Recordset, Write
from backfill.declaration.conditions import Condition, suggest
from backfill.declaration.decorator import Transform
from backfill.declaration.form import Bound, Row, Walked
from backfill.declaration.repeatability import derive_repeatability
from backfill.errors import ChecksFailed, DeclarationError
from backfill.finding import Finding, Severity
from backfill.key import Key


class Target:
    """One table that a transform walks: how it is read in batches, and how a batch of it is written."""

    def __init__(self, database: Database, transform: Transform[..., Any], table: Table, key: tuple[str, ...]) -> None:
        self.database = database
        self.transform = transform
        self.table = table
        self.key = key
        self.where = self._tied(transform.definition.where)
        self.bound: Bound = transform.form.bind(Walked(table, key, self._adapt))
        self._keys = [table.c[name] for name in key]
        self.repeatability = derive_repeatability(self.bound, transform.definition.where, columns_of(self.where, table))

    @property
    def name(self) -> str:
        """The table's name as the definition spells it."""
        return self.table.fullname

    def shape(self) -> list[tuple[str, str]]:
        """Name and type of every column that the transform reads, writes or walks by."""
        used = {*self.key, *self.bound.reads, *self.bound.writes, *columns_of(self.where, self.table)}
        return [(c.name, repr(c.type)) for c in self.table.columns if c.name in used]

    def estimate(self) -> int | None:
        """About how many rows the table has; None if the database cannot tell without counting."""
        return self.database.dialect.estimate(self.database.connection, self.table)

    # ── walking ─────────────────────────────────────────────────────────────────────────────────────────────────

    def last_key(self) -> Key | None:
        """The greatest key there is, by the database's order; None when the table is empty."""
        statement = select(*self._keys).order_by(*(key.desc() for key in self._keys)).limit(1)
        return _as_key(self.database.connection.execute(statement).first())

    def next_batch(self, after: Key | None, hi: Key, rows: int) -> Batch:
        """The next `rows` keys up to `hi`, counted whether `where` takes them or not."""
        keys = self._in_range(select(*self._keys), after, hi).order_by(*self._keys)
        upto = _as_key(self.database.connection.execute(keys.offset(rows - 1).limit(1)).first())
        if upto is not None:
            return Batch(after, upto, rows, is_last=upto == hi)
        left = self.database.connection.execute(select(func.count()).select_from(keys.subquery())).scalar_one()
        return Batch(after, hi, left, is_last=True)

    def next_match(self, after: Key | None, hi: Key, rows: int) -> Batch | None:
        """The range of the next `rows` rows that `where` takes; None when there is no such row up to `hi`."""
        matching = self._in_range(select(*self._keys), after, hi).where(self.where).order_by(*self._keys)
        upto = _as_key(self.database.connection.execute(matching.offset(rows - 1).limit(1)).first())
        if upto is not None:
            return Batch(after, upto, rows, is_last=upto == hi)
        if self.database.connection.execute(matching.limit(1)).first() is None:
            return None
        return Batch(after, hi, rows, is_last=True)

    def has_match(self) -> bool:
        """Whether `where` takes any row of the whole table: one scan, in whatever order is quickest."""
        statement = select(literal(1)).select_from(self.table).where(self.where).limit(1)
        return self.database.connection.execute(statement).first() is not None

    def read(self, batch: Batch) -> list[Row]:
        """Lock the batch's rows that `where` takes, and give those that the transform wants to see."""
        if self.bound.fetches is None and not (self.bound.looks_elsewhere or has_subquery(self.where)):
            return []  # one UPDATE locks, evaluates and writes
        wanted = [self.table.c[name] for name in self.bound.fetches or ()]
        found = self.database.connection.execute(self.database.dialect.lock(self._select(batch, *wanted))).all()
        if self.bound.fetches is None:
            return []  # locked here, evaluated by the next statement
        width = len(self._keys)
        return [(tuple(row[:width]), dict(zip(self.bound.fetches, row[width:], strict=True))) for row in found]

    def apply(self, rows: Sequence[Row]) -> list[Write]:
        """What becomes of the rows; no I/O."""
        return self.bound.apply(rows)

    def write(self, write: Write, batch: Batch, *, only_changes: bool = False) -> int:
        """Write to the batch's rows, to all or only to those that would change; gives the number of rows."""
        if isinstance(write.relation, Projection):
            return self._write_projection(write.relation, batch, only_changes)
        rows = self._changing(write, write.relation, batch) if only_changes else write.relation
        if not rows.rows:
            return 0
        return self.database.dialect.update_rows(self.database.connection, self.table, write.match, write.columns, rows)

    def snapshot(self, batch: Batch, columns: Sequence[str], *, everything: bool = False) -> dict[Key, tuple[Any, ...]]:
        """The batch's rows that `where` takes, or all of them, with the values that `columns` hold now."""
        wanted = (self.table.c[name] for name in columns)
        statement = self._select(batch, *wanted, where=true() if everything else self.where)
        found = self.database.connection.execute(statement)
        width = len(self._keys)
        return {tuple(row[:width]): tuple(row[width:]) for row in found}

    def changing_keys(self, batch: Batch) -> list[Key]:
        """Keys of the batch's rows that `where` takes and that the transform would change. Writes nothing."""
        keys: list[Key] = []
        for write in self.apply(self._read_unlocked(batch)):
            if isinstance(write.relation, Projection):
                statement = self._select(batch).where(self._differs(write.relation))
                keys += [tuple(row) for row in self.database.connection.execute(statement)]
            else:
                keys += [key for key, _ in self._changing(write, write.relation, batch).rows]
        return keys

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────────

    def _write_projection(self, projection: Projection, batch: Batch, only_changes: bool) -> int:
        statement = update(self.table).where(self._range(batch.after, batch.upto), self.where)
        if only_changes:
            statement = statement.where(self._differs(projection))
        return self.database.connection.execute(statement.values(self._values(projection))).rowcount

    def _values(self, projection: Projection) -> dict[str, Any]:
        return {
            name: value
            if isinstance(value, ColumnElement)
            else self.database.dialect.storable(self.table.c[name], value)
            for name, value in projection.values.items()
        }

    def _differs(self, projection: Projection) -> Condition:
        comparable = self.database.dialect.comparable
        pairs = ((self.table.c[name], value) for name, value in self._values(projection).items())
        return or_(*(comparable(column).is_distinct_from(comparable(_typed(value, column))) for column, value in pairs))

    def _changing(self, write: Write, rows: Recordset, batch: Batch) -> Recordset:
        now = self.snapshot(batch, write.columns)
        store = self.database.dialect.storable
        columns = [self.table.c[name] for name in write.columns]
        return Recordset(
            [
                (key, values)
                for key, values in rows.rows
                if key in now and now[key] != tuple(map(store, columns, values))
            ]
        )

    def _read_unlocked(self, batch: Batch) -> list[Row]:
        if self.bound.fetches is None:
            return []
        found = self.snapshot(batch, self.bound.fetches)
        return [(key, dict(zip(self.bound.fetches, values, strict=True))) for key, values in found.items()]

    def _select(self, batch: Batch, *columns: ColumnElement[Any], where: Condition | None = None) -> Select[Any]:
        statement = self._in_range(select(*self._keys, *columns), batch.after, batch.upto)
        return statement.where(self.where if where is None else where).order_by(*self._keys)

    def _in_range(self, statement: Select[Any], after: Key | None, upto: Key) -> Select[Any]:
        return statement.where(self._range(after, upto))

    def _range(self, after: Key | None, upto: Key) -> Condition:
        dialect = self.database.dialect
        bounds = [dialect.upto(self._keys, upto)]
        if after is not None:
            bounds.append(dialect.after(self._keys, after))
        return and_(*bounds)

    # ── tying expressions to the table ──────────────────────────────────────────────────────────────────────────

    def _tied(self, where: Condition | None) -> Condition:
        return true() if where is None else self._adapt(where)

    def _adapt(self, expression: ColumnElement[Any]) -> ColumnElement[Any]:
        return adapt(expression, self.table, self.database.dialect.missing)


def open_targets(database: Database, transform: Transform[..., Any]) -> list[Target]:
    """The transform's tables as they are in this database.

    Raises:
        ChecksFailed: a table or column is not there, a table has no usable key, or the definition does not fit.
    """
    return [_open(database, transform, name) for name in transform.definition.tables]


def _open(database: Database, transform: Transform[..., Any], name: str) -> Target:
    with database.faults():
        table = _reflect(database, transform, name)
        key = _key(table)
        if not key:
            raise ChecksFailed(transform.name, _why_no_key(database, table))
        database.dialect.refine(database.connection, table, key)
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type.none_as_null = True  # None is SQL NULL here, also in a JSON column
        try:
            return Target(database, transform, table, key)
        except DeclarationError as error:
            raise _refusal(transform, "definition", str(error)) from None


def _reflect(database: Database, transform: Transform[..., Any], name: str) -> Table:
    schema, _, bare = name.rpartition(".")
    inspector = inspect(database.connection)
    try:
        table = Table(bare, MetaData(), autoload_with=database.connection, schema=schema or None, resolve_fks=False)
    except NoSuchTableError:
        known = inspector.get_table_names(schema=schema or None)
        raise _refusal(
            transform,
            "no-table",
            f"there is no table {name} in this database.{suggest(bare, known)} "
            "If a migration makes it: alembic upgrade head",
        ) from None
    return table


def _key(table: Table) -> tuple[str, ...]:
    """The primary key, else the narrowest unique constraint or index over NOT NULL columns."""
    if table.primary_key.columns:
        return tuple(str(column.name) for column in table.primary_key)  # SQLAlchemy's own kind of str is slow as a key
    constraints = [list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint)]
    plain = (i for i in table.indexes if i.unique and not any(map(_is_said, i.dialect_kwargs.values())))
    indexes = [list(i.columns) for i in plain if len(i.columns) == len(i.expressions)]  # of columns alone
    sound = [columns for columns in constraints + indexes if columns and not any(c.nullable for c in columns)]
    return tuple(
        str(c.name) for c in min(sound, key=lambda columns: (len(columns), [c.name for c in columns]), default=[])
    )


def _is_said(option: Any) -> bool:
    """Whether an index has this option: a partial index's condition is an expression, which has no truth of its own."""
    return isinstance(option, ClauseElement) or bool(option)


def _why_no_key(database: Database, table: Table) -> list[Finding]:
    """A view or a foreign table has no key to add: then that is what there is to say."""
    found = database.dialect.inspect_table(database.connection, table)
    no_key = Finding(
        "no-key",
        f"{table.fullname} has neither a primary key nor a unique constraint over NOT NULL columns, so there is no "
        f"order in which no row is lost: ALTER TABLE {table.fullname} ADD PRIMARY KEY (...)",
    )
    return [finding for finding in found if finding.severity is Severity.REFUSAL] or [no_key]


def _refusal(transform: Transform[..., Any], code: str, message: str) -> ChecksFailed:
    return ChecksFailed(transform.name, [Finding(code, message)])


def _typed(value: Any, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return value if isinstance(value, ColumnElement) else literal(value, column.type)


def _as_key(row: Any) -> Key | None:
    return None if row is None else tuple(row)
