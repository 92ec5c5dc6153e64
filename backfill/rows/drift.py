"""Drift: whether a table is still the one that a run was started on; asked in every batch.

A renamed column is an error of the database. Two columns that swapped their names are none: only who looks finds out.
"""

from __future__ import annotations

from backfill.errors import DefinitionChanged
from backfill.rows.source import Source
from backfill.rows.tables import STRUCTURE, Tables
from backfill.rows.target import Target


class Drift:
    """What the tables of one worker looked like."""

    def __init__(self) -> None:
        self._structures: dict[str, str] = {}
        """Since they were altered in ways that do not matter."""

    def require_same(self, source: Source) -> None:
        """Look once more, after the batch's writes, which let nobody change the table until COMMIT.

        Raises:
            DefinitionChanged: a column that the transform uses is not what it was.
        """
        if not isinstance(source, Target):
            return
        now = source.database.dialect.structure(source.database.connection, source.table)
        if self._structures.get(source.name, source.table.info[STRUCTURE]) == now:
            return
        if source.shape() != source.shape_of(Tables(source.database).find(source.name)):
            name = source.transform.name
            raise DefinitionChanged(
                f"{source.name} was altered while {name} walked it: a column that it uses was renamed, moved or given "
                f"another type; this batch was rolled back. Look: backfill plan {name}   Then go on: backfill run "
                f"{name} --accept-change"
            )
        self._structures[source.name] = now
