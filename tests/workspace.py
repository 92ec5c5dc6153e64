"""A project folder of its own for a test: transforms, a database by its URL, and the `backfill` command in it."""

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.pool import NullPool

from backfill.catalog import Catalog
from backfill.cli import cli
from backfill.database import Database
from backfill.declaration.decorator import Transform
from backfill.ledger import Ledger
from backfill.run import Run

PATIENCE_SECONDS = 30.0


class Workspace:
    """A project without Alembic, and a table `users` whose values are canaries: no message may hold one."""

    def __init__(self, folder: Path, url: sa.URL) -> None:
        self.folder = folder
        self.url = url
        self.engine = sa.create_engine(url, poolclass=NullPool)
        self.users = sa.Table(
            "users",
            sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("name", sa.String(50), nullable=False),
            sa.Column("nickname", sa.String(50)),
            sa.Column("score", sa.Integer),
        )

    # ── rows ────────────────────────────────────────────────────────────────────────────────────────────────────

    def add_users(self, rows: int) -> None:
        """Make so many users without a nickname."""
        self.users.create(self.engine, checkfirst=True)
        with self.engine.begin() as connection:
            connection.execute(self.users.insert(), [{"name": f"canary{n}", "score": 1} for n in range(rows)])

    def rows(self) -> list[tuple[Any, ...]]:
        """The whole table."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(self.users.select().order_by(self.users.c.id))]

    def execute(self, statement: str) -> None:
        """Do something behind backfill's back."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)

    def tables(self) -> set[str]:
        """The names of all tables."""
        return set(sa.inspect(self.engine).get_table_names())

    def count(self, table: str) -> int:
        """The number of rows in a table."""
        with self.engine.connect() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0)

    # ── files ───────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        forget_transforms()
        return path

    def write_fill(self, name: str = "fill_nickname", *, body: str = 'return Written(nickname=f"u{user.id}")') -> None:
        """Write a transform that fills users.nickname, row by row."""
        self.write("transforms/__init__.py", "")
        self.write(f"transforms/{name}.py", FILL.format(name=name, body=body))

    # ── the command ─────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, *arguments: str) -> Result:
        """Run the command in this process."""
        forget_transforms()
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    def find(self, name: str = "fill_nickname") -> Transform[..., Any]:
        """Load a transform as the command does."""
        forget_transforms()
        return Catalog("transforms", [self.folder]).find(name)

    def open(self) -> AbstractContextManager[Database]:
        """The database as a verb gets it."""
        return Database.of(self.engine)

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start the command in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "backfill", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def status(self, name: str = "fill_nickname") -> Run:
        """What the ledger says of the newest run."""
        with self.open() as database:
            run = Ledger(database).latest(name)
        assert run is not None
        return run

    def wait_for_progress(self, rows: int = 1) -> None:
        """Wait until a process has committed so many rows."""
        self.wait_until(lambda: "backfill_slice" in self.tables() and self.status().rows_read >= rows)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that another process does."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with contextlib.suppress(AssertionError, sa.exc.DBAPIError):  # the ledger is being made
                if is_so():
                    return
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)


FILL = '''
    """Fill users.nickname."""

    import time

    from pydantic import BaseModel

    import backfill
    from backfill import Rejected, is_missing


    class Read(BaseModel):
        id: int
        name: str


    class Written(BaseModel):
        nickname: str


    @backfill.transform("users", where=is_missing("nickname"))
    def {name}(user: Read) -> Written | None:
        """Everybody is called u and a number."""
        {body}
'''

SLOWLY = 'time.sleep(0.005); return Written(nickname=f"u{user.id}")'
"""The body of a transform that gives a test the time to interfere."""


def open_workspace(folder: Path, url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """Make the folder the working directory, and the URL the database of the command."""
    for variable in [name for name in os.environ if name.startswith("BACKFILL_") and "_TEST_" not in name]:
        monkeypatch.delenv(variable)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("BACKFILL_DATABASE_URL", url.render_as_string(hide_password=False))
    forget_transforms()
    yield Workspace(folder, url)
    forget_transforms()


def forget_transforms() -> None:
    """Let the next import read the files as they are now."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "transforms"]:
        del sys.modules[name]
