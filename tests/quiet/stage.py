"""Stage: a project with a table full of canaries, and the doors by which a transform is run on it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from backfill.alembic import require_backfill, run_backfill
from backfill.database import Database
from backfill.gate import require_complete
from backfill.planner import draft_plan
from backfill.running.runner import run
from backfill.settings import load_settings
from backfill.verifier import verify
from tests.quiet.canaries import PEOPLE, rows
from tests.quiet.sinks import Sinks
from tests.workspace import Workspace, forget_transforms

ALL = ("sqlite", "postgresql", "mariadb")
SERVERS = ("postgresql", "mariadb")


@dataclass(frozen=True)
class ErrorPath:
    """One way in which something goes wrong, and what is told of it."""

    name: str
    told: str
    """A pattern that some sink holds, so that the path is known to have been walked."""
    module: str
    """The text of transforms/fill.py."""
    verb: str = "run"
    schema: Sequence[str] | Mapping[str, Sequence[str]] = ()
    """Statements beforehand, by database where they differ."""
    databases: Sequence[str] = ALL
    settings: Mapping[str, str] = field(default_factory=dict)
    accept: Sequence[str] = ()
    during: Callable[[Stage], AbstractContextManager[Any]] | None = None
    """What others do meanwhile."""
    act: Callable[[Stage], None] | None = None
    """What is done instead of going through the doors of `verb`."""


class Stage:
    """One project and its database, in which all that is told is caught."""

    def __init__(self, workspace: Workspace, sinks: Sinks) -> None:
        self.workspace = workspace
        self.engine = workspace.engine
        self.sinks = sinks
        self.dialect = {"mysql": "mariadb"}.get(self.engine.dialect.name, self.engine.dialect.name)

    def set_up(self, path: ErrorPath) -> None:
        """Make the table, its rows and the transform."""
        PEOPLE.create(self.engine)
        with self.engine.begin() as connection:
            connection.execute(PEOPLE.insert(), rows())
        statements = path.schema.get(self.dialect, ()) if isinstance(path.schema, Mapping) else path.schema
        for statement in statements:
            self.execute(statement)
        self.workspace.write("transforms/__init__.py", "")
        (self.workspace.folder / "transforms" / "fill.py").write_text(path.module, encoding="utf-8")

    def execute(self, statement: str) -> None:
        """Do something behind backfill's back; a percent sign is no parameter."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement.replace("%", "%%") if self.dialect != "sqlite" else statement)

    # ── doors ───────────────────────────────────────────────────────────────────────────────────────────────────

    def command(self, *words: str) -> int:
        """Go through the command."""
        result = self.workspace.run(*words)
        self.sinks.catch(f"command {words[0]}: stdout", result.stdout)
        self.sinks.catch(f"command {words[0]}: stderr", result.stderr)
        return result.exit_code

    def library(self, verb: str, accept: Sequence[str]) -> None:
        """Call the verb, as a program does."""
        with self._caught(f"library {verb}"):
            settings, transform = load_settings(), self.workspace.find("fill")
            with Database.of(self.engine, settings.limits) as database:
                match verb:
                    case "plan":
                        draft_plan(database, transform, settings, accept)
                    case "verify":
                        verify(database, transform)
                    case "gate":
                        require_complete(database, transform)
                    case _:
                        run(database, transform, settings, accept=accept)

    def revision(self, verb: str, accept: Sequence[str]) -> None:
        """Call it as a revision does."""
        forget_transforms()
        with self._caught(f"revision {verb}"), self.engine.connect() as connection:
            context = MigrationContext.configure(connection)
            with Operations.context(context), context.begin_transaction(_per_migration=True):
                require_backfill("fill") if verb == "gate" else run_backfill("fill", accept=accept)

    @contextlib.contextmanager
    def _caught(self, sink: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.sinks.catch_error(sink, error)


def walk(stage: Stage, path: ErrorPath) -> None:
    """Let it go wrong by every door, and look at what the ledger and its pages tell afterwards."""
    if path.act is not None:
        path.act(stage)
        return
    options = [word for code in path.accept for word in ("--accept", code)] if path.verb in ("run", "plan") else []
    with path.during(stage) if path.during else contextlib.nullcontext():
        if path.verb != "gate":
            stage.command(path.verb, "fill", *options)
        stage.library(path.verb, path.accept)
        if path.verb in ("run", "gate"):
            stage.revision(path.verb, path.accept)
    stage.command("status")
    stage.command("status", "fill", "--json")
    stage.sinks.catch_ledger(stage.engine)
