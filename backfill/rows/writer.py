"""Writer: makes the writes of one batch whose rows came from Python, and keeps the keys that others link to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Table, and_, delete, insert, literal, select, union_all
from sqlalchemy.sql.expression import or_

from backfill.batch import Tally
from backfill.database import Database
from backfill.declaration.changes import Insert
from backfill.declaration.conditions import Condition
from backfill.declaration.gathering import may_link
from backfill.declaration.writes import Recordset, Shape, Verb, Write
from backfill.errors import RowRejected
from backfill.key import Key
from backfill.parameters import assigned
from backfill.rows.chosen import among
from backfill.rows.insertion import insert_missing_row
from backfill.rows.journal import UNKEPT, Record, Taken
from backfill.rows.tables import Tables, key_of

TERMS = 100
"""Look-ups by match that go into one statement; SQLite takes 500."""


class Writer:
    """Makes writes one after the other."""

    def __init__(self, database: Database, tables: Tables, record: Record = UNKEPT) -> None:
        self._database = database
        self._record = record
        self._connection = database.connection
        self._dialect = database.dialect
        self._tables = tables
        self._keys: dict[int, Any] = {}

    def write(self, write: Write, *, only_changes: bool = False) -> Tally:
        """Make one write, on all its rows or only on those that would change."""
        assert isinstance(write.relation, Recordset), "a projection is written by whoever knows the batch"
        if not write.relation.rows:
            return Tally()
        table = self._tables.find(write.shape.table)
        resolved = self._resolved(write.shape, write.relation)
        match write.shape.verb:
            case Verb.UPDATE:
                return Tally(updated=self._update(table, write.shape, resolved, only_changes))
            case Verb.DELETE:
                return Tally(deleted=self._delete(table, write.shape, resolved))
            case Verb.INSERT if write.shape.match or write.shape.absent:
                return self._insert_missing(table, write.shape, resolved, only_changes)
        return self._insert(table, write.shape, resolved)

    def _update(self, table: Table, shape: Shape, rows: Recordset, only_changes: bool) -> int:
        take = partial(self._taken, Verb.UPDATE, table, shape, rows)
        if not only_changes:
            return self._record.change(take, lambda: self._dialect.update_rows(self._connection, table, shape, rows))
        statement = self._dialect.update_by_match(table, shape)
        differs = [self._dialect.differs(table.c[name], value) for name, value in assigned(table, shape).items()]
        parameters = self._dialect.parameters(table, shape, rows)
        return self._record.change(take, lambda: self._database.change(statement.where(or_(*differs)), parameters))

    def _delete(self, table: Table, shape: Shape, rows: Recordset) -> int:
        statement = delete(table).where(self._dialect.matching(table, shape))
        parameters = self._dialect.parameters(table, shape, rows)
        take = partial(self._taken, Verb.DELETE, table, shape, rows)
        return self._record.change(take, lambda: self._database.change(statement, parameters))

    def _taken(self, verb: Verb, table: Table, shape: Shape, rows: Recordset) -> Taken:
        """The rows that a recordset is about."""
        if shape.is_own:
            keys = [self._dialect.walked(table.c[name]) for name in shape.match]
            conditions = among(self._database, keys, [key for key, _ in rows.rows])
            return Taken(verb, table, shape.columns, conditions)
        matched = Shape(verb, shape.table, shape.match, shape.absent)
        parameters = self._dialect.parameters(table, matched, Recordset([(match, ()) for match, _ in rows.rows]))
        return Taken(verb, table, shape.columns, [self._dialect.matching(table, matched)], parameters)

    def _insert(self, table: Table, shape: Shape, rows: Recordset) -> Tally:
        store = self._dialect.storable
        parameters = [
            {name: store(table.c[name], value) for name, value in zip(shape.columns, values, strict=True)}
            for _, values in rows.rows
        ]
        if rows.links and _link_key(table) not in shape.columns:
            keys = self._insert_returning(table, parameters)
            self._record.note_inserted(table, [(key,) for key in keys])
        else:
            self._record.insert(self._database, table, insert(table), parameters)
            keys = [given.get(_link_key(table)) for given in parameters] if rows.links else []
        self._remember(rows.links, keys)
        return Tally(inserted=len(parameters))

    def _insert_returning(self, table: Table, parameters: list[dict[str, Any]]) -> list[Any]:
        """The keys that the database gives, in the order of the rows; one by one where it cannot tell them together."""
        key = table.c[_link_key(table)]
        if self._connection.dialect.insert_executemany_returning_sort_by_parameter_order:
            statement = insert(table).returning(key, sort_by_parameter_order=True)
            return list(self._connection.execute(statement, parameters).scalars())
        inserted = (self._connection.execute(insert(table), given).inserted_primary_key for given in parameters)
        return [found[0] if found else None for found in inserted]

    def _insert_missing(self, table: Table, shape: Shape, rows: Recordset, only_changes: bool) -> Tally:
        updated = self._refresh(table, shape, rows, only_changes) if shape.refresh else 0
        statement = insert_missing_row(self._dialect, table, shape)
        parameters = self._dialect.parameters(table, shape, rows)
        inserted = self._record.insert(self._database, table, statement, parameters)
        if shape.refresh and (again := _met_again(rows)):  # as if each had come in a batch of its own
            updated += self._refresh(table, shape, again, only_changes=True)
        if rows.links:
            self._remember(rows.links, self._find_keys(table, shape, [match for match, _ in rows.rows]))
        return Tally(updated=updated, inserted=inserted)

    def _refresh(self, table: Table, shape: Shape, rows: Recordset, only_changes: bool) -> int:
        """Bring rows that are there already up to date; of two for the same row the last one counts."""
        places = [shape.columns.index(name) for name in shape.refresh]
        latest = {_hashable(match): (match, tuple(values[place] for place in places)) for match, values in rows.rows}
        refreshing = Shape(Verb.UPDATE, shape.table, shape.match, shape.absent, shape.refresh)
        return self._update(table, refreshing, Recordset(list(latest.values())), only_changes)

    # ── links ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _resolved(self, shape: Shape, relation: Recordset) -> Recordset:
        """The rows, in which keys stand where Inserts stood for them."""
        if shape.model is not None and not may_link(shape.model):
            return relation
        rows = [(match, tuple(map(self._key_of, values))) for match, values in relation.rows]
        return Recordset(rows, relation.is_sorted, relation.links)

    def _key_of(self, value: Any) -> Any:
        return self._keys[id(value)] if isinstance(value, Insert) else value

    def _remember(self, links: Sequence[Insert[Any] | None], keys: Sequence[Any]) -> None:
        self._keys |= {id(link): key for link, key in zip(links, keys, strict=False) if link is not None}

    def _find_keys(self, table: Table, shape: Shape, matches: Sequence[Key]) -> list[Any]:
        """The key of the row that each match finds; the database compares."""
        key = table.c[_link_key(table)]
        keys: dict[int, Any] = {}
        for start in range(0, len(matches), TERMS):
            terms = [
                select(literal(n).label("place"), key.label("key")).where(self._is_matched(table, shape, match))
                for n, match in enumerate(matches[start : start + TERMS], start)
            ]
            for place, value in self._connection.execute(union_all(*terms).order_by("place", "key")):
                keys.setdefault(place, value)
        return [keys[n] for n in range(len(matches))]

    def _is_matched(self, table: Table, shape: Shape, match: Key) -> Condition:
        store = self._dialect.storable
        pairs = [(table.c[name], value) for name, value in zip(shape.match, match, strict=True)]
        equal = [column == literal(store(column, value), column.type) for column, value in pairs]
        return and_(*equal, *(table.c[name].is_(None) for name in shape.absent))


def _met_again(rows: Recordset) -> Recordset | None:
    """Those that match one before them; None when there are none."""
    known = set[Any]()
    again = []
    for match, values in rows.rows:
        known_by = _hashable(match)
        if known_by in known:
            again.append((match, values))
        known.add(known_by)
    return Recordset(again) if again else None


def _hashable(match: Key) -> Any:
    """Equal for equal values, lists and documents among them."""
    try:
        hash(match)
    except TypeError:
        return repr(match)
    return match


def _link_key(table: Table) -> str:
    """The one column that an Insert can stand for."""
    key = key_of(table)
    if len(key) != 1:
        raise RowRejected(
            f"{table.name} has a key of {len(key) or 'no'} columns; an Insert can stand only for a key of one"
        )
    return key[0]
