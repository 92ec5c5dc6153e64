"""Vacuum: clears away, inside a run, the row versions that its batches leave dead."""

from __future__ import annotations

from backfill.database import Database
from backfill.rows.source import Source
from backfill.running.progress import Progress


class Vacuum:
    """Asks the database to make room each time a share of a table was walked, so that the table does not double."""

    def __init__(self, database: Database, share: float, progress: Progress) -> None:
        self._database = database
        self._share = 0 if database.shared else share
        self._progress = progress
        self._walked: dict[str, int] = {}
        self._every: dict[str, float] = {}

    def note(self, source: Source, rows: int) -> None:
        """So many more rows were walked."""
        if not self._share:
            return
        walked = self._walked[source.name] = self._walked.get(source.name, 0) + rows
        if walked >= self._rows_between(source):
            self._walked[source.name] = 0
            with self._database.faults():
                source.make_room()

    def _rows_between(self, source: Source) -> float:
        if source.name not in self._every:
            with self._database.faults():
                rows = source.estimate()
            if not rows:
                self._progress.say(f"{source.name} is not vacuumed: its size is not known before it is ANALYZEd")
            self._every[source.name] = rows * self._share if rows else float("inf")
        return self._every[source.name]
