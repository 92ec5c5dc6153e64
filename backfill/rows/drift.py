"""Drift: whether a table is still the one that a run was started on; asked in every batch.

A renamed column is an error of the database. Two columns that swapped their names are none: only who looks finds out.
"""

from __future__ import annotations

from sqlalchemy import String, bindparam

from backfill.errors import DatabaseFailed, DefinitionChanged
from backfill.rows.source import Source
from backfill.rows.tables import STRUCTURE, NoTable, Tables
from backfill.rows.target import Target
from backfill.slices import UNGUARDED, Guard


class Drift:
    """What the tables of one worker look like."""

    def __init__(self) -> None:
        self._guards: dict[str, Guard] = {}

    def guard(self, source: Source) -> Guard:
        """That the table is the one it was, asked after the batch's writes, which let nobody change it until COMMIT."""
        if not isinstance(source, Target):
            return UNGUARDED
        if source.name not in self._guards:
            database = source.database
            is_same = database.dialect.structure(database.connection, source.table) == bindparam(
                "structure", type_=String
            )
            self._guards[source.name] = Guard(is_same, {"structure": source.table.info[STRUCTURE]})
        return self._guards[source.name]

    def name_what_is_gone(self, source: Source) -> None:
        """After an error that says that something is not there.

        Raises:
            DatabaseFailed: the table, or a column that the transform uses, by its name.
        """
        if not isinstance(source, Target):
            return
        name = source.transform.name
        gone = _what_is_gone(source)
        if gone is not None:
            raise DatabaseFailed(
                f"{gone} is not there any more: it was renamed or dropped while {name} walked the table. "
                f"Write into {name} what it is called now, then: backfill run {name} --accept-change"
            )

    def passes(self, source: Source) -> bool:
        """Whether the table was altered, but in a way that does not matter; from here on it is guarded as it is now.

        Raises:
            DefinitionChanged: a column that the transform uses is not what it was.
        """
        guard = self.guard(source)
        if not isinstance(source, Target):
            return False
        table = Tables(source.database).find(source.name)
        if table.info[STRUCTURE] == guard.values["structure"]:
            return False
        if source.shape() != source.shape_of(table):
            name = source.transform.name
            raise DefinitionChanged(
                f"{source.name} was altered while {name} walked it: a column that it uses was renamed, moved or given "
                f"another type; this batch was rolled back. Look: backfill plan {name}   Then go on: backfill run "
                f"{name} --accept-change"
            )
        self._guards[source.name] = Guard(guard.condition, {"structure": table.info[STRUCTURE]})
        return True


def _what_is_gone(target: Target) -> str | None:
    try:
        live = Tables(target.database).find(target.name).c
    except NoTable:
        return f"table {target.name}"
    return next((f"{target.name}.{name}" for _, name, _ in target.shape() if name not in live), None)
