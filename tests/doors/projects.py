"""Projects as a team would have them: made by `alembic init`, with a few revisions and transforms."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tests.doors.stories import CONTRACT, EXPAND, FATE, FILL, MODELS, PREAMBLE, REVISION, TRANSFORMS, USERS, WIDEN


@dataclass
class Project:
    """A folder with alembic.ini, migrations/ and transforms/, and the database it works on."""

    root: Path
    url: sa.URL
    revision_template: str = REVISION
    template_values: dict[str, str] = field(default_factory=dict)
    head: str | None = None

    # ── writing it ──────────────────────────────────────────────────────────────────────────────────────────────

    def add_revision(self, name: str, upgrade: str, downgrade: str = "pass") -> None:
        """Append a revision to the history."""
        depth = "        " if "engine" in self.template_values else "    "
        text = self.revision_template.format(
            name=name,
            down=self.head,
            upgrade=indent(upgrade.strip(), depth),
            downgrade=indent(downgrade.strip(), depth),
            **self.template_values,
        )
        (self.root / "migrations" / "versions" / f"{name}.py").write_text(text)
        self.head = name

    def add_story(self) -> None:
        """Append the usual history: users, then expand, fill and contract."""
        self.add_revision("users", USERS, 'op.drop_table("users")')
        self.add_revision("expand", EXPAND, 'op.drop_column("users", "greeting")')
        self.add_revision("fill", FILL, 'reset_backfill("greet")')
        self.add_revision("contract", CONTRACT, WIDEN)

    def edit(self, file: str, old: str, new: str) -> None:
        """Change one place of a file, as a person would."""
        path = self.root / file
        text = path.read_text()
        assert old in text, f"{file} does not contain {old!r}"
        path.write_text(text.replace(old, new, 1))

    def append(self, file: str, text: str) -> None:
        """Add lines to the end of a file."""
        with (self.root / file).open("a") as stream:
            stream.write(dedent(text))

    # ── Alembic, in this process and in others ──────────────────────────────────────────────────────────────────

    def config(self, *x: str, **attributes: Any) -> Config:
        """Give Alembic's configuration, with what `-x` would add."""
        config = Config("alembic.ini", output_buffer=io.StringIO(), stdout=io.StringIO(), cmd_opts=Namespace(x=list(x)))
        config.attributes.update(attributes)
        return config

    def upgrade(self, revision: str = "head", *x: str) -> None:
        """Run `alembic upgrade`."""
        command.upgrade(self.config(*x), revision)

    def downgrade(self, revision: str) -> None:
        """Run `alembic downgrade`."""
        command.downgrade(self.config(), revision)

    def script(self, revisions: str) -> str:
        """Run `alembic upgrade --sql`, and give what it prints."""
        return self._printed(command.upgrade, revisions)

    def downgrade_script(self, revisions: str) -> str:
        """Run `alembic downgrade --sql`, and give what it prints."""
        return self._printed(command.downgrade, revisions)

    def _printed(self, verb: Callable[..., None], revisions: str) -> str:
        config = self.config()
        verb(config, revisions, sql=True)
        assert isinstance(config.output_buffer, io.StringIO)
        return config.output_buffer.getvalue()

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        """Start a Python module, such as alembic or backfill, in the project's folder."""
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=self.root,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def call(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a Python module to its end."""
        process = self.start(*words, **environment)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    # ── the database ────────────────────────────────────────────────────────────────────────────────────────────

    def execute(self, statement: str, parameters: Any = None) -> Any:
        """Execute a statement on a connection of its own, and give its rows."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            result = connection.execute(sa.text(statement), parameters)
            return result.all() if result.returns_rows else None

    def scalars(self, statement: str) -> list[Any]:
        """Give the first column of a query."""
        return [row[0] for row in self.execute(statement)]

    def add_users(self, count: int) -> None:
        """Insert users 1 … count."""
        rows = [{"id": number, "name": f"User {number}"} for number in range(1, count + 1)]
        self.execute("INSERT INTO users (id, name) VALUES (:id, :name)", rows)

    def version(self) -> str | None:
        """Give the revision that the database says it is at."""
        versions = self.scalars("SELECT version_num FROM alembic_version")
        return str(versions[0]) if versions else None

    def greetings(self) -> int:
        """Count the users who are greeted as they should be."""
        return sum(row.greeting == f"Hello User {row.id}" for row in self.execute("SELECT id, greeting FROM users"))

    def pending(self) -> int:
        """Count the users without a greeting."""
        (count,) = self.scalars("SELECT count(*) FROM users WHERE greeting IS NULL")
        return int(count)

    def visits(self) -> list[int]:
        """Give how often each user was counted."""
        return self.scalars("SELECT visits FROM users ORDER BY id")

    def status(self, name: str = "greet") -> str | None:
        """Give the status of the newest run."""
        found = self.scalars(f"SELECT status FROM backfill_run WHERE name = '{name}' ORDER BY id")
        return found[-1] if found else None


def make_project(root: Path, url: sa.URL, template: str = "generic") -> Project:
    """Make a project by `alembic init`, in which only the URL and the metadata are set."""
    command.init(Config(str(root / "alembic.ini"), stdout=io.StringIO()), str(root / "migrations"), template=template)
    project = Project(root, url)
    write_modules(root)
    shown = url.render_as_string(hide_password=False).replace("%", "%%")
    if template != "multidb":
        project.edit("alembic.ini", "sqlalchemy.url = driver://user:pass@localhost/dbname", f"sqlalchemy.url = {shown}")
        project.edit("migrations/env.py", "target_metadata = None", "from models import metadata as target_metadata")
    return project


def write_modules(root: Path) -> None:
    """Write the models and the transforms."""
    (root / "models.py").write_text(MODELS)
    (root / "fate.py").write_text(FATE)
    (root / "transforms").mkdir()
    (root / "transforms" / "__init__.py").touch()
    for name, text in TRANSFORMS.items():
        (root / "transforms" / f"{name}.py").write_text(PREAMBLE + dedent(text))
