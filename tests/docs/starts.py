"""Starts: the projects in which pages begin, by the name that a page gives at its top."""

from __future__ import annotations

import shutil

from tests.docs.scratch import PROJECT, Scratch

USERS = """
import os
import sqlalchemy as sa

engine = sa.create_engine(os.environ["DATABASE_URL"])
with engine.begin() as connection:
    users = sa.Table("users", sa.MetaData(), autoload_with=connection)
    names = ("Ada King", "Grace Hopper", "Alan Turing")
    full = ["Cher" if n % 250 == 3 else names[n % 3] for n in range(1000)]
    rows = [{"email": f"user{n}@example.com", "full_name": name} for n, name in enumerate(full)]
    connection.execute(users.insert(), rows)
engine.dispose()
"""


def start(name: str, scratch: Scratch) -> None:
    """Make the project that a page begins with."""
    {"empty": lambda _: None, "example": _start_example}[name](scratch)


def _start_example(scratch: Scratch) -> None:
    """The worked example of the repository, before `skills`, with a thousand users."""
    for folder in ("migrations", "transforms"):
        shutil.copytree(PROJECT / folder, scratch.folder / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", scratch.folder)
    for command in ("alembic upgrade 0002", f"python - <<'END'\n{USERS}\nEND"):
        code, printed = scratch.run(command)
        assert code == 0, printed
