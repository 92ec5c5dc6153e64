"""Interleaving: a rival acts on a second connection exactly when a run is about to send its n-th statement.

One thread, so that the order is the same every time: the run stands still while the rival acts, as a process does
that was stopped, swapped out or cut off from the network.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from backfill.declaration.decorator import Transform
from backfill.errors import BackfillError
from backfill.fault import Faulted
from backfill.running.runner import run
from backfill.settings import Settings
from tests.faults.statements import interrupted, recorded
from tests.faults.workloads import (
    ACCEPTED,
    count_by_row,
    count_in_sql,
    counts,
    open_engine,
    opened,
    run_on,
    seed,
    settings,
)

ROWS, BATCH = 8, 4

FULL = os.environ.get("BACKFILL_TEST_FAULTS") == "full"
"""Everything at every statement, in minutes; otherwise what two minutes allow."""

FORMS = [count_by_row, count_in_sql] if FULL else [count_by_row]

Rival = Callable[[sa.Engine], None]


@dataclass
class Meeting:
    """What became of one run that met a rival."""

    position: int
    refusal: Exception | None = None
    """Why the rival could not act: the run held what it wanted."""
    at_once: dict[int, int] = field(default_factory=dict)
    """How often each row was counted just after the rival acted."""
    error: BackfillError | None = None
    """With what the run ended; None when it completed."""
    at_the_end: dict[int, int] = field(default_factory=dict)
    """How often each row was counted when the run had ended."""

    @property
    def has_acted(self) -> bool:
        """Whether the rival got its way."""
        return bool(self.at_once) and self.refusal is None


class Stage:
    """A small table, a run on it, and a rival with a connection of its own."""

    def __init__(self, engine: sa.Engine, transform: Transform[..., Any], chosen: Settings | None = None) -> None:
        self.engine = engine
        self.transform = transform
        self.settings = chosen or settings(batch_size=BATCH, max_batch_size=BATCH)
        self.rivals = impatient(engine)
        self.script = self._script()
        """The statements of an undisturbed run."""

    def _script(self) -> list[str]:
        self.reset()
        self.resume()  # what it creates and caches is there from here on, so that all runs send the same statements
        self.reset()
        with opened(self.engine, self.settings) as database, recorded(database.connection) as statements:
            run(database, self.transform, self.settings, accept=ACCEPTED)
        return statements

    def reset(self) -> None:
        """Bring table and ledger to their beginning."""
        seed(self.engine, ROWS)

    def meet(self, position: int, rival: Rival) -> Meeting:
        """Run from the beginning, and let the rival act before the statement of this position."""
        self.reset()
        meeting = Meeting(position)

        def act() -> None:
            try:
                rival(self.rivals)
            except (DBAPIError, Faulted, BackfillError) as error:
                meeting.refusal = error
            meeting.at_once = counts(self.rivals)

        try:
            with opened(self.engine, self.settings) as database, interrupted(database.connection, position, act):
                run(database, self.transform, self.settings, accept=ACCEPTED)
        except BackfillError as error:
            meeting.error = error
        meeting.at_the_end = counts(self.engine)
        return meeting

    def resume(self) -> None:
        """Run again, undisturbed, until nothing is left."""
        run_on(self.engine, self.transform, self.settings)


def impatient(engine: sa.Engine) -> sa.Engine:
    """An engine for rivals, who never wait for a lock: whoever they would wait for stands still."""
    rivals = open_engine(engine.url)
    session = {
        "sqlite": "PRAGMA busy_timeout = 0",
        "postgresql": "SET lock_timeout = '20ms'",
        "mysql": "SET SESSION innodb_lock_wait_timeout = 0",
    }[engine.dialect.name]

    @sa.event.listens_for(rivals, "connect")
    def _set_up(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(session)
        cursor.close()
        if engine.dialect.name == "postgresql":
            connection.commit()

    @sa.event.listens_for(rivals, "before_cursor_execute", retval=True)
    def _shorten(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> tuple[str, Any]:
        if isinstance(parameters, dict) and "innodb_lock_wait_timeout" in parameters:
            parameters = {**parameters, "innodb_lock_wait_timeout": 0}  # a run pins a second at least
        return statement, parameters

    return rivals
