"""Crew: the helpers who walk pieces of a run beside its leader.

They are threads where the rows stay in the database, else processes, since Python computes in one thread at a time.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from multiprocessing import Pipe, active_children, get_context, parent_process
from multiprocessing.connection import Connection as PipeEnd
from multiprocessing.process import BaseProcess
from typing import Any, Self

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from backfill.blame import code_of
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.errors import Fenced, Unreachable
from backfill.rows.source import Source
from backfill.running.progress import Progress
from backfill.settings import Settings

PATIENCE_SECONDS = 5.0
"""How long a helper may take for the batch at hand once it is called back."""

POLL_SECONDS = 0.1
"""How often the leader looks up from waiting."""

Work = Callable[[Database, Transform[..., Any]], None]

Reach = Callable[[Work], None]
"""How a helper comes to the run's database and its transform: it visits them with the work. For processes it is sent
to them, so it can be pickled.
"""

_enlisted = threading.local()


class Recall:
    """How a helper learns that it should stop: the leader has closed its end of a pipe.

    A lock that both share would stay locked for ever if a helper were killed while it held it.
    """

    def __init__(self, reader: PipeEnd) -> None:
        self._reader = reader

    @property
    def reason(self) -> str | None:
        """That the leader has stopped; None while it is at work."""
        return "its leader has stopped" if self._reader.poll() else None


class Crew(AbstractContextManager["Crew"]):
    """Helpers at work on one run; called back when the leader leaves."""

    def __init__(self, executor: Executor, line: PipeEnd, reach: Reach, helpers: int) -> None:
        self._executor = executor
        self._line = line
        self._reach = reach
        self._helpers = helpers
        self._jobs: list[Future[None]] = []
        self._processes: list[BaseProcess] = []
        self.has_deserters = False
        """A helper died, never came or was replaced; its pieces are the leader's now."""

    @classmethod
    def of_threads(cls, helpers: int, reach: Reach) -> Crew:
        """Helpers that wait for the database most of the time."""
        reader, line = Pipe(duplex=False)
        executor = ThreadPoolExecutor(helpers, "backfill", _enlist, (Recall(reader),))
        return cls(executor, line, reach, helpers)

    @classmethod
    def of_processes(cls, helpers: int, reach: Reach) -> Crew:
        """Helpers that compute."""
        reader, line = Pipe(duplex=False)
        executor = ProcessPoolExecutor(helpers, get_context("spawn"), _enlist_process, (Recall(reader),))
        return cls(executor, line, reach, helpers)

    def __enter__(self) -> Self:
        """Nobody is at work yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Call the helpers back, each after the batch at hand; a process that does not come, or need not, is killed."""
        self._line.close()
        is_urgent = kind is not None and issubclass(kind, KeyboardInterrupt)
        if wait(self._jobs, 0 if is_urgent else PATIENCE_SECONDS).not_done:
            self.dismiss()
        self._executor.shutdown(cancel_futures=True)

    def start(self, work: Work) -> None:
        """Let the helpers do the work."""
        others = active_children()
        with _interrupts_kept():
            self._jobs = [self._executor.submit(self._reach, work) for _ in range(self._helpers)]
        self._processes = [process for process in active_children() if process not in others]

    @property
    def is_at_work(self) -> bool:
        """Whether a helper has not finished."""
        return not all(job.done() for job in self._jobs)

    def heed(self) -> None:
        """Raise what stopped a helper, unless the others can do its work."""
        for job in self._jobs:
            if job.done():
                try:
                    job.result()
                except (BrokenExecutor, Unreachable, Fenced):
                    self.has_deserters = True

    def dismiss(self) -> None:
        """Kill the processes: one that stands still holds locks, and the server undoes what a dead one began."""
        for process in self._processes:
            process.kill()

    def wait(self) -> None:
        """Wait a moment for the helpers to finish."""
        wait(self._jobs, POLL_SECONDS)


def crew_for(
    database: Database,
    transform: Transform[..., Any],
    sources: Sequence[Source],
    settings: Settings,
    progress: Progress,
    reach: Reach | None,
) -> Crew | None:
    """The helpers that the settings ask for; None where there are none, or none may be."""
    helpers = settings.workers - 1
    if not helpers:
        return None
    if reason := _why_alone(database, sources):
        progress.say(f"one worker walks the rows: {reason}")
        return None
    if reach is not None and any(source.bound.fetches is not None for source in sources):
        return Crew.of_processes(helpers, reach)
    return Crew.of_threads(helpers, partial(_visit, database.connection.engine, settings, transform))


def _why_alone(database: Database, sources: Sequence[Source]) -> str | None:
    if database.shared:
        return "its batches are part of a transaction of env.py"
    if database.connection.dialect.is_async:
        return "an asynchronous driver serves one thread"
    return next((source.divisibility.reason for source in sources if not source.divisibility.is_divisible), None)


def _visit(engine: Engine, settings: Settings, transform: Transform[..., Any], work: Work) -> None:
    try:
        with Database.of(engine, settings.limits) as database:
            work(database, transform)
    except DBAPIError as error:  # what the work itself meets is told otherwise
        raise Unreachable(f"a helper could not connect ({code_of(error)})") from None


def recall() -> Recall:
    """What this thread or process was given to learn that it should stop."""
    given: Recall = _enlisted.recall
    return given


def _enlist(given: Recall) -> None:
    _enlisted.recall = given


def _enlist_process(given: Recall) -> None:
    """Of what env.py says in each helper only warnings are news."""
    _enlist(given)
    logging.disable(logging.INFO)
    threading.Thread(target=_die_with_leader, daemon=True).start()


def _die_with_leader() -> None:
    """A batch that is cut short is rolled back; a process that nobody waits for would stay for ever."""
    leader = parent_process()
    assert leader is not None, "a helper was started by somebody"
    leader.join()
    os._exit(1)


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Keep Ctrl-C from processes that are started here: it is the leader's to answer, who calls them back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
