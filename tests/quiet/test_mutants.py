"""The search finds what it is for: each leak that is planted is caught in the sink that it flows into."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from backfill import blame
from backfill.database import Database
from backfill.declaration import rejection
from backfill.declaration.forms import row
from backfill.dialect import Dialect
from backfill.errors import RowRejected
from backfill.fault import Faulted
from backfill.running import worker
from tests.quiet.databases import DATABASES
from tests.quiet.functions import FUNCTIONS
from tests.quiet.projects import PROJECTS
from tests.quiet.sinks import listening
from tests.quiet.stage import ErrorPath, Stage, walk

BY_NAME = {path.name: path for path in [*FUNCTIONS, *DATABASES, *PROJECTS]}


@contextmanager
def _wordy_faults(database: Database) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise Faulted(*database.dialect.classify(error), str(error.orig)) from None


@contextmanager
def _chained_faults(database: Database) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise Faulted(*database.dialect.classify(error)) from error


def tell_the_drivers_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's own words are told."""
    monkeypatch.setattr(Database, "faults", _wordy_faults)


def leave_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's error hangs on ours, statement and parameters in it."""
    monkeypatch.setattr(Database, "faults", _chained_faults)

    @contextmanager
    def explained() -> Iterator[None]:
        try:
            yield
        except Faulted as error:
            raise RowRejected("a row is refused") from error

    monkeypatch.setattr(worker, "explained", explained)
    monkeypatch.setattr(worker.Worker, "_naming_the_row", lambda _: explained())


def log_the_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for whoever looks for mistakes."""
    write = Dialect.storable_columns

    def wordy(self: Dialect, table: Any, shape: Any, rows: Any) -> Any:
        logging.getLogger("backfill.debug").debug("writing %s", rows)
        return write(self, table, shape, rows)

    monkeypatch.setattr(Dialect, "storable_columns", wordy)
    parameters = Dialect.parameters

    def wordy_parameters(self: Dialect, table: Any, shape: Any, rows: Any) -> Any:
        logging.getLogger("backfill.debug").debug("writing %s", rows)
        return parameters(self, table, shape, rows)

    monkeypatch.setattr(Dialect, "parameters", wordy_parameters)


def tell_the_functions_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message of what a function raised."""
    monkeypatch.setattr(row, "reason_of", str)


def keep_the_functions_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays in an attribute of ours, as an error reporter would show it."""
    kept: list[str] = []
    reason_of, made = rejection.reason_of, RowRejected.__init__

    def reason(error: BaseException) -> str:
        kept.append(repr(error))
        return reason_of(error)

    def init(self: RowRejected, *arguments: Any, **options: Any) -> None:
        made(self, *arguments, **options)
        self.because = kept  # type: ignore[attr-defined]

    monkeypatch.setattr(row, "reason_of", reason)
    monkeypatch.setattr(RowRejected, "__init__", init)


def print_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A print that was forgotten."""
    file_and_line = blame.file_and_line

    def wordy(error: BaseException) -> str:
        print(error)  # noqa: T201
        return file_and_line(error)

    monkeypatch.setattr("backfill.declaration.rejection.file_and_line", wordy)


def escape_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown commands the terminal."""
    for name in ("backfill.phrase.safe_text", "backfill.escaping.one_line", "backfill.declaration.rejection.excerpt"):
        monkeypatch.setattr(name, str)


def show_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of text are shown as they are."""
    monkeypatch.setattr(row, "printable_key", str)


HOSTILE = ErrorPath(
    "a rejection that commands", "", BY_NAME["a rejection"].module.replace("'no space in it'", "chr(27) + '[2J'")
)

MUTANTS: dict[Callable[[pytest.MonkeyPatch], None], tuple[ErrorPath, str]] = {
    tell_the_drivers_message: (BY_NAME["a trigger that aborts"], "command run: stderr"),
    leave_the_cause: (BY_NAME["a unique index"], "library run"),
    log_the_parameters: (BY_NAME["a unique index"], "log"),
    tell_the_functions_message: (BY_NAME["a value error"], "ledger"),
    keep_the_functions_error: (BY_NAME["a value error"], "library run"),
    print_the_row: (BY_NAME["a value error"], "stdout"),
    escape_nothing: (HOSTILE, "ledger"),
    show_keys: (BY_NAME["a key of text"], "command run: stderr"),
}


@pytest.mark.sqlite
@pytest.mark.parametrize("stage", ["sqlite_url"], indirect=True)
@pytest.mark.parametrize("mutate", MUTANTS, ids=lambda mutate: mutate.__name__)
def test_a_planted_leak_is_caught(
    mutate: Callable[[pytest.MonkeyPatch], None],
    stage: Stage,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the sink that it flows into."""
    path, sink = MUTANTS[mutate]
    stage.set_up(path)
    mutate(monkeypatch)
    with listening(stage.sinks, capfd):
        walk(stage, path)
    assert stage.sinks.leaks().get(sink), stage.sinks.leaks()
