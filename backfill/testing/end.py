"""End: what the tables hold after a run, in a form in which the ends of two runs can be compared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from backfill.rows.tables import key_of

Row = dict[str, Any]

End = Mapping[str, Mapping[str, Row]]
"""By the table's name, and by what a row is called."""

GIVEN = "a key that the database gives"
FRESH = "a fresh value"
"""Stands for a value that is a new one each time."""


@dataclass(frozen=True)
class _Difference:
    """The first thing in which two ends are not the same."""

    table: str
    row: str
    column: str | None
    """None: only one of them has the row."""
    found: Any
    expected: Any

    def told(self, found_when: str, expected_when: str) -> str:
        """As a sentence; in a test the values are the author's own, so they may be shown."""
        where = f"in {self.table}, the row {self.row}"
        if self.column is not None:
            return f"{where} has {self.column} = {self.found!r} {found_when}, and {self.expected!r} {expected_when}"
        if self.found is None:
            return f"{where} is gone {found_when}, and there {expected_when}: {self.expected!r}"
        return f"{where} is there {found_when}, and not {expected_when}: {self.found!r}"


def told_difference(found: End, found_when: str, expected: End, expected_when: str) -> str | None:
    """The first thing in which the ends differ, in a sentence; None where they are the same."""
    difference = next(_differences(found, expected), None)
    return difference.told(found_when, expected_when) if difference else None


def _differences(found: End, expected: End) -> Iterator[_Difference]:
    for table, rows in expected.items():
        for name in [*rows, *(name for name in found[table] if name not in rows)]:
            ours, theirs = found[table].get(name), rows.get(name)
            if ours is None or theirs is None:
                yield _Difference(table, name, None, ours, theirs)
                continue
            yield from (
                _Difference(table, name, column, ours[column], theirs[column])
                for column in theirs
                if ours[column] != theirs[column]
            )


def name_of(table: Table, row: Row) -> str:
    """What a row is called: by its key, or by all that it holds where it has none."""
    return ", ".join(f"{name} = {row[name]!r}" for name in key_of(table) or row)


def end_of(
    tables: Mapping[str, Table], found: Mapping[str, Sequence[Row]], known: End, fresh: Collection[str] = ()
) -> End:
    """The end that rows make.

    A key that the database gives a new row differs from run to run, so such rows are numbered by what they hold, and so
    are the values that refer to them.

    Args:
        tables: the tables, those that others refer to first.
        found: their rows.
        known: the rows that were there before the run.
        fresh: columns whose values are new ones each time; only whether they are there is compared.
    """
    numbers: dict[str, dict[Any, str]] = {}
    end: dict[str, dict[str, Row]] = {}
    for name, table in tables.items():
        rows = {name_of(table, row): row for row in found[name]}
        end[name] = {
            each: _compared(table, row, numbers, {*fresh, *_drawn(table, is_new=each not in known[name])})
            for each, row in rows.items()
        }
        if (key := _given_key(table, fresh)) is not None:
            new = {each: {**end[name].pop(each), key: GIVEN} for each in rows if each not in known[name]}
            in_order = sorted(new, key=lambda each: repr(new[each]))  # it is asked at once
            called = {each: f"new {name} row {number}" for number, each in enumerate(in_order, 1)}
            numbers[f"{table.fullname}.{key}"] = {rows[each][key]: called[each] for each in new}
            end[name] |= {called[each]: row for each, row in new.items()}
    return end


def _given_key(table: Table, fresh: Collection[str]) -> str | None:
    """The key of which a new row gets another value in each run: the database's own, or one that is to be fresh."""
    counted = table.autoincrement_column
    mutable = {*fresh, *([] if counted is None else [counted.name])}
    key = key_of(table)
    return key[0] if len(key) == 1 and key[0] in mutable else None


def _drawn(table: Table, *, is_new: bool) -> set[str]:
    """The columns for which the database itself draws a value or looks at its clock."""
    defaults = {c.name: str(getattr(c.server_default, "arg", "")).upper() for c in table.columns if c.server_default}
    asked_for = ("(", "CURRENT_") if is_new else ("ON UPDATE",)
    return {name for name, default in defaults.items() if any(word in default for word in asked_for)}


def _compared(table: Table, row: Row, numbers: Mapping[str, Mapping[Any, str]], fresh: Collection[str]) -> Row:
    """A row in which references to new rows are their numbers, and fresh values are all alike."""
    compared: Row = {}
    for column in table.columns:
        value = row[column.name]
        for reference in column.foreign_keys:
            value = numbers.get(reference.target_fullname, {}).get(value, value)
        compared[column.name] = FRESH if column.name in fresh and value is not None else value
    return compared
