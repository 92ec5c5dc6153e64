"""What the application writes while a run is under way is kept, whether the walk has come to the row or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import update

from backfill.errors import BackfillError
from backfill.fault import Faulted
from backfill.rows.tables import key_of, unique_columns
from backfill.testing.end import End, Row
from backfill.testing.law import Law
from backfill.testing.moments import between_batches
from backfill.testing.proofs import sameness
from backfill.testing.proofs.pending import taken
from backfill.testing.stage import Stage

TRIES = 3
"""Edits that are tried, until the transform takes one."""


@dataclass(frozen=True)
class _Edit:
    """A new value of a row's column, taken from another row."""

    table: str
    row: str
    column: str
    value: Any

    def is_made(self, stage: Stage) -> bool:
        """Write it, on a connection beside the run's; False where the database does not take it."""
        table, row = stage.tables[self.table], stage.start[self.table][self.row]
        this = [table.c[name] == row[name] for name in key_of(table)]
        try:
            with stage.database() as database, database.transaction() as connection:
                value = database.dialect.storable(table.c[self.column], self.value)
                connection.execute(update(table).where(*this).values({self.column: value}))
        except Faulted:
            return False
        return True

    def __str__(self) -> str:
        return f"the application sets its {self.column} to {self.value!r}"


def _prove(stage: Stage) -> str | None:
    return _behind(stage) or _ahead(stage)


def _behind(stage: Stage) -> str | None:
    """A row that is done is edited: it stays as it was edited."""
    bound = stage.source.bound
    if bound.shapes != () and not bound.performs:
        return None  # what it changes beside the walked rows may be this one, and is meant
    given = stage.named(stage.result)

    def edit_one(done: list[str]) -> Iterator[_Edit]:
        edits = (edit for name in done for edit in _edits(stage, name, _written(stage, name), given))
        return islice((edit for edit in edits if edit.is_made(stage) and not _is_pending(stage, edit)), 1)

    for edit in _perform_beside(stage, edit_one):
        found = stage.named(stage.rows())[edit.table][edit.row][edit.column]
        if found != edit.value:
            return f"in {edit.table}, the row {edit.row} is done, {edit}, and the run makes it {found!r}"
    return None


def _ahead(stage: Stage) -> str | None:
    """A row that waits is edited: it ends as if it had been edited before the run."""
    *_, last = stage.changed(_table(stage), stage.undisturbed)
    read = sorted(stage.source.bound.reads) or list(stage.tables[_table(stage)].columns.keys())
    possible = _edits(stage, last, read, stage.start)
    tried = ((edit, _end_if_before(stage, edit)) for edit in islice(possible, TRIES))
    edit, expected = next(((edit, end) for edit, end in tried if end), (None, None))
    if edit is None or not _perform_beside(stage, lambda done: [edit] if _is_made_ahead(stage, edit, done) else []):
        return None
    found = _row(stage, edit)
    if found == expected:
        return None
    return (
        f"in {edit.table}, the row {edit.row} waits, {edit}, and it ends as {found!r}; "
        f"had that been set before the run, as {expected!r}"
    )


def _end_if_before(stage: Stage, edit: _Edit) -> Row | None:
    """The row at the end of a run that begins with the edit; None where such a row cannot be."""
    stage.reset()
    if not edit.is_made(stage):
        return None
    try:
        stage.perform(batch=1)
    except BackfillError:
        return None
    return _row(stage, edit)


def _is_made_ahead(stage: Stage, edit: _Edit, done: list[str]) -> bool:
    return edit.row not in done and edit.is_made(stage)


def _perform_beside(stage: Stage, act: Callable[[list[str]], Iterable[_Edit]]) -> list[_Edit]:
    """Run, and let the application act after the first batch, when the rows named are done; gives what it wrote."""
    made: list[_Edit] = []
    stage.reset()
    with between_batches(stage.engine, lambda: made.extend(act(stage.changed(_table(stage), stage.end())))):
        stage.perform(batch=1)
    return made


def _edits(stage: Stage, name: str, columns: Iterable[str], givers: End) -> Iterator[_Edit]:
    """What a row may be given: what others have in a column, and it has not."""
    table, own, untouchable = _table(stage), givers[_table(stage)][name], _untouchable(stage)
    for column in columns:
        if column not in untouchable:
            others = (row[column] for row in givers[table].values() if row[column] is not None)
            yield from (_Edit(table, name, column, value) for value in others if value != own[column])


def _table(stage: Stage) -> str:
    return stage.transform.definition.tables_walked[0]


def _written(stage: Stage, name: str) -> list[str]:
    before, after = stage.start[_table(stage)][name], stage.undisturbed[_table(stage)][name]
    return [column for column in before if before[column] != after[column]]


def _untouchable(stage: Stage) -> set[str]:
    """Columns that say where a row stands in the walk, that must differ from row to row, or that are not to be set."""
    definition, live = stage.transform.definition, stage.tables[_table(stage)]
    computed = (column.name for column in live.columns if column.computed is not None)
    sorting = (step.name for step in definition.order_by if step.name)
    unique = (name for names in unique_columns(live) for name in names)
    return {*key_of(live), *(definition.group_by or ()), *sorting, *computed, *unique, *stage.fresh}


def _is_pending(stage: Stage, edit: _Edit) -> bool:
    """Whether the edit makes the row one that the run takes again, and rightly so."""
    return stage.source.repeatability.shrinks and edit.row in taken(stage, edit.table)


def _row(stage: Stage, edit: _Edit) -> Row | None:
    return stage.end()[edit.table].get(edit.row)


def _exempts(stage: Stage) -> str | None:
    if not stage.transform.definition.tables_walked or len(stage.changed(_table(stage), stage.undisturbed)) < 2:
        return "only between two batches that write something can the application write too"
    return None


LAW = Law(
    "edits",
    "what the application writes during the run is kept.",
    "A batch knows the rows that it has locked and no others: look for rows that are read ahead or remembered, and for "
    "an UPDATE that reaches beyond the batch",
    _prove,
    _exempts,
    presumed=sameness.LAW,
)
