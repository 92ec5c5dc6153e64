"""Demo: many users in SQLite, taken through the repository's own expand, fill and contract."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from sqlalchemy import Connection, MetaData, Table, create_engine, func, insert, select

from backfill.errors import Refused, RunFailed

FILE = "backfill-demo.db"
BEFORE_SKILLS = "0002"
"""The revision before `skills`: this is where the story begins."""
PAGE = 10_000

_NEXT = """
What to try next:
  the same again, and kill it in the middle (Ctrl-C, or kill -9 from another terminal):
      {bin}backfill demo --rows 2000000
      DATABASE_URL={url} {bin}alembic upgrade head     goes on where it stopped
  look before you run:
      DATABASE_URL={url} {bin}alembic downgrade {before}
      DATABASE_URL={url} {bin}alembic -x backfill=defer upgrade head     stops at the gate, and says what to type
      DATABASE_URL={url} {bin}backfill plan default_skills
      DATABASE_URL={url} {bin}backfill run default_skills
  read how it is declared: transforms/default_skills.py, migrations/versions/"""


def show_demo(rows: int, root: Path) -> None:
    """Make `rows` users, upgrade to head, and show what came of it.

    Raises:
        Refused: the working directory is not a checkout of the repository.
        RunFailed: a command of the demo failed; it has said why.
    """
    if not (root / "transforms" / "default_skills.py").is_file():
        raise Refused(
            "the demo uses the repository's own migrations/ and transforms/: run it in a checkout of backfill",
            code="no-checkout",
        )
    _start_afresh(root / FILE)
    url = f"sqlite:///{FILE}"
    own = {name: value for name, value in os.environ.items() if not name.startswith("BACKFILL_")}
    environment = {**own, "DATABASE_URL": url}
    _run(environment, "alembic", "upgrade", BEFORE_SKILLS)
    _make_users(url, rows)
    _run(environment, "alembic", "upgrade", "head")
    _run(environment, "backfill", "status")
    _show_users(url)
    click.echo(_NEXT.format(url=url, before=BEFORE_SKILLS, bin=_programs(root)))


def _programs(root: Path) -> str:
    """What to type before `alembic` so that the shell finds the one that belongs to this Python."""
    here = Path(sys.executable).parent
    if shutil.which("alembic") == str(here / "alembic"):
        return ""
    return f"{here.relative_to(root) if here.is_relative_to(root) else here}/"


def _start_afresh(file: Path) -> None:
    for name in (file.name, f"{file.name}-journal", f"{file.name}-wal", f"{file.name}-shm"):
        file.with_name(name).unlink(missing_ok=True)


def _run(environment: dict[str, str], *command: str) -> None:
    click.secho(f"\n$ {' '.join(command)}", bold=True)
    module, *arguments = command
    ended = subprocess.run([sys.executable, "-m", module, *arguments], env=environment, check=False)  # noqa: S603  # our own words
    if ended.returncode:
        raise RunFailed(f"`{' '.join(command)}` ended with code {ended.returncode}; what it said stands above")


def _make_users(url: str, rows: int) -> None:
    click.echo(f"\nmaking {rows:,} users …")
    engine = create_engine(url)
    with engine.begin() as connection:
        users = Table("users", MetaData(), autoload_with=connection)
        for page in _pages(rows):
            connection.execute(insert(users), page)
    engine.dispose()


def _pages(rows: int) -> Iterator[list[dict[str, str]]]:
    for start in range(0, rows, PAGE):
        numbers = range(start, min(start + PAGE, rows))
        yield [{"email": f"user{n}@example.com", "full_name": f"User{n} Number{n}"} for n in numbers]


def _show_users(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        click.echo()
        for row in _first_users(connection):
            click.echo("  ".join(str(value) for value in row))
    engine.dispose()


def _first_users(connection: Connection) -> list[tuple[object, ...]]:
    users = Table("users", MetaData(), autoload_with=connection)
    names = ("id", "full_name", "first_name", "last_name", "skills")
    found = connection.execute(select(*(users.c[name] for name in names)).order_by(users.c.id).limit(3))
    total = connection.execute(select(func.count()).select_from(users)).scalar_one()
    return [names, *(tuple(row) for row in found), ("…", f"{total:,} users in all")]
