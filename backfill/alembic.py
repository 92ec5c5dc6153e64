"""What a revision may ask: fill now, wait for proof, or take it back.

from backfill.alembic import require_backfill, reset_backfill, run_backfill, undo_backfill
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Literal

from alembic import op
from alembic.autogenerate import comparators
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import insert

from backfill import autogenerate, schema
from backfill.catalog import Catalog
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.dialects import dialect_named
from backfill.directives import expand_fill_contract
from backfill.environment import DEFAULT_BIND, bind_of, is_shared
from backfill.errors import BackfillError, BackfillIncomplete, RunFailed, Stopped
from backfill.fault import Faulted
from backfill.gate import require_complete
from backfill.ledger import Ledger
from backfill.phrase import addressed, phrased
from backfill.rows.opening import open_sources
from backfill.running.admission import Admission
from backfill.running.progress import log
from backfill.running.runner import run
from backfill.running.undoer import undo
from backfill.settings import Settings, load_settings
from backfill.telling import sentence_of

__all__ = [
    "create_ledger",
    "drop_ledger",
    "expand_fill_contract",
    "require_backfill",
    "reset_backfill",
    "run_backfill",
    "undo_backfill",
]

Mode = Literal["inline", "defer"]

_DEFAULT_FILE = "alembic.ini"

autogenerate.register(comparators)


class BackfillCommandError(CommandError):
    """A BackfillError in the form that `alembic` and `flask db` print as one line."""

    def __init__(self, message: str) -> None:
        super().__init__(phrased(message))


def run_backfill(name: str, *, mode: Mode | None = None, accept: Collection[str] = ()) -> None:
    """Fill the rows of `name` batch by batch, each batch committed with its checkpoint, in a revision of its own.

    What the upgrade did before is committed first. A killed upgrade leaves whole batches and an unstamped revision;
    the next upgrade goes on where it stopped. Where env.py owns the transaction, all batches are committed with it.

    Args:
        name: the transform's name.
        mode: "defer" only registers the run, for `backfill run`; None asks `-x backfill=`, then the settings.
        accept: codes of preflight findings that are meant, such as "trigger".

    Raises:
        CommandError: refused, failed or stopped; the message says what to type.
    """
    context = op.get_context()
    if context.as_sql:
        with context.autocommit_block(), _addressed(context):  # what the script did before is committed where it is cut
            context.impl.static_output(phrased(f"-- DATA STEP: stop here and run:  backfill run {name}"))
        return
    with _as_command_errors(context, name):
        settings = _settings(context, mode)
        transform = _find(context, settings, name)
        if settings.mode == "defer":
            _defer(context, transform, settings)
        else:
            with _own_transactions(context) as database:
                run(database, transform, settings, accept=accept)


def require_backfill(name: str, *, none_left: bool = False) -> None:
    """Let the revision go on only when no row waits for `name` any more; its first line.

    What the upgrade did before is committed before refusing: otherwise PostgreSQL would take the expand step back,
    and the backfill could never be run.

    Args:
        name: the transform's.
        none_left: refuse too while rows match its `where` which it leaves as they are, since a NOT NULL that follows
            would fail on them, with half of the revision done. A script of `--sql` asks the ledger alone.

    Raises:
        CommandError: rows still wait; the message says what to type.
    """
    context = op.get_context()
    if context.as_sql:
        with _addressed(context):
            context.impl.static_output(dialect_named(context.dialect.name).offline_gate(name, _refusal(name)))
        return
    with _as_command_errors(context, name):
        transform = _find(context, _settings(context), name)
        try:
            with Database(_connection(context), shared=True) as database:
                left = require_complete(database, transform, none_left=none_left)
                if left:
                    log.warning("%s: %s", name, left)
        except BackfillIncomplete:
            if not is_shared(context):
                with context.autocommit_block():
                    pass
            raise


def reset_backfill(name: str) -> None:
    """Forget how far `name` came, in a downgrade: the next upgrade starts from the first row."""
    context = op.get_context()
    if context.as_sql:
        context.impl.static_output(dialect_named(context.dialect.name).offline_reset(name))
        return
    with _as_command_errors(context, name), Database(_connection(context), shared=True) as database:
        Ledger(database).withdraw(name)


def undo_backfill(name: str) -> None:
    """Put back what rows held before `name` wrote them, in a downgrade, where they still hold what it wrote.

    The run must have kept images (`keep_undo`). Batch by batch, as it ran; a killed downgrade goes on where it stopped.
    Rows that were changed since stay as they are, and the log says how many.

    Raises:
        CommandError: a run kept no images, or the undoing was stopped; the message says what to type.
    """
    context = op.get_context()
    if context.as_sql:
        with context.autocommit_block(), _addressed(context):
            context.impl.static_output(phrased(f"-- DATA STEP: stop here and run:  backfill undo {name}"))
        return
    with _as_command_errors(context, name, "downgrade"), _own_transactions(context) as database:
        for undone in undo(database, name, _settings(context)):
            if undone.left:
                log.warning("%s: %s", name, phrased(undone.told_of_rest()))


def create_ledger() -> None:
    """Create the ledger in a revision, for teams whose application may not create tables."""
    context = op.get_context()
    if not context.as_sql:
        schema.create(_connection(context))
        return
    for table in schema.metadata.sorted_tables:
        context.impl.create_table(table)
    op.execute(insert(schema.version).values(version=schema.VERSION))


def drop_ledger() -> None:
    """Drop the ledger with everything in it, images included: the downgrade of `create_ledger`."""
    context = op.get_context()
    if not context.as_sql:
        schema.drop(_connection(context))
        return
    for table in reversed(schema.metadata.sorted_tables):
        op.drop_table(table.name)


def _defer(context: MigrationContext, transform: Transform[..., Any], settings: Settings) -> None:
    with Database(_connection(context), shared=True) as database:
        Admission(database, transform, open_sources(database, transform), settings.keep_undo).defer()
    log.info("%s: deferred; to fill: backfill run %s", transform.name, transform.name)


@contextmanager
def _own_transactions(context: MigrationContext) -> Iterator[Database]:
    """The migration's connection, on which each batch is a transaction of its own wherever that can be."""
    connection = _connection(context)
    if is_shared(context):
        log.warning("env.py owns the transaction: the batches become durable together, at its end")
        with Database(connection, shared=True) as database:
            yield database
        return
    failure: BackfillError | Faulted | None = None
    try:
        with context.autocommit_block(), Database(connection) as database:
            try:
                yield database
            except (BackfillError, Faulted) as error:
                failure = error
                raise
    except Exception:
        if failure is not None:  # a broken link makes leaving the block fail too, with less to say
            raise failure from None
        raise


@contextmanager
def _as_command_errors(context: MigrationContext, name: str, verb: str = "upgrade") -> Iterator[None]:
    """Say in one line what happened, and what to type where the message does not say it by itself."""
    with _addressed(context):
        try:
            yield
        except Stopped as error:
            told = f"{name} is not finished: {sentence_of(error)}; to go on, repeat the {verb}"
            raise BackfillCommandError(told) from None
        except RunFailed as error:
            raise BackfillCommandError(f"{name} failed: {sentence_of(error)}") from None
        except BackfillError as error:
            raise BackfillCommandError(sentence_of(error)) from None
        except Exception as error:  # Alembic would print its message, and SQLAlchemy's has the parameters in it
            raise BackfillCommandError(f"{name}: {sentence_of(error)}") from None


def _refusal(name: str) -> str:
    """What a gate in a script says, as a literal of SQL holds it."""
    return phrased(f"backfill {name} is not completed; run: backfill run {name}").replace("'", "''")


def _addressed(context: MigrationContext) -> AbstractContextManager[None]:
    """The commands to type name the database that this upgrade was for."""
    bind = bind_of(context)
    named = [] if bind == DEFAULT_BIND else ["--bind", bind]
    given = context.environment_context.config.cmd_opts if context.environment_context else None
    return addressed([*_repeated(given), *named])


def _repeated(given: Namespace | None) -> Iterator[str]:
    """The options of `alembic` that lead to the database; older versions name their default file too."""
    files = getattr(given, "config", None) or []
    for file in [files] if isinstance(files, str) else files:
        if file != _DEFAULT_FILE:
            yield from ("--config", file)
    for argument in getattr(given, "x", None) or []:
        if not argument.startswith("backfill="):
            yield from ("-x", argument)


def _settings(context: MigrationContext, mode: Mode | None = None) -> Settings:
    return load_settings(_ini(context), mode=mode or _x_arguments(context).get("backfill"))


def _find(context: MigrationContext, settings: Settings, name: str) -> Transform[..., Any]:
    ini = _ini(context)
    return Catalog(settings.transforms, [Path.cwd(), *(ini.resolve().parents[:2] if ini else ())]).find(name)


def _ini(context: MigrationContext) -> Path | None:
    environment = context.environment_context
    name = environment.config.config_file_name if environment else None
    return Path(name) if name else None


def _x_arguments(context: MigrationContext) -> dict[str, str]:
    environment = context.environment_context
    return environment.get_x_argument(as_dictionary=True) if environment else {}


def _connection(context: MigrationContext) -> Any:
    assert context.connection is not None, "an upgrade without --sql is connected"
    return context.connection
