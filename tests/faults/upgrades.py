"""Kill `alembic upgrade head` at random moments, repeat it, and see that every user is right each time.

    python -m tests.faults.upgrades URL --rows 1000000 --kills 20

The project is what `alembic init` writes, with an unedited env.py: expand, fill, count, contract. The count is not
repeatable, so a row that is taken twice, or not at all, shows. After each kill the stamped revision is held against
the rows: it must never be ahead of them.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

USERS = """
CREATE TABLE users (
    id BIGINT NOT NULL PRIMARY KEY, email VARCHAR(60) NOT NULL, bio VARCHAR(100) NOT NULL, n INTEGER NOT NULL
)
"""

START_SECONDS = 0.2
"""From env.py's connection to the first batch: a kill within it finds nothing new."""

REVISIONS = {
    "r1_expand": 'op.add_column("users", sa.Column("skills", sa.JSON(), nullable=True))',
    "r2_fill": 'run_backfill("default_skills")',
    "r3_count": 'run_backfill("count_once")',
    "r4_contract": """require_backfill("default_skills")
    with op.batch_alter_table("users") as users:
        users.alter_column("skills", existing_type=sa.JSON(), nullable=False)""",
}
REVISION = '''"""{name}."""
import sqlalchemy as sa
from alembic import op

from backfill.alembic import require_backfill, run_backfill

revision, down_revision = "{name}", {parent!r}


def upgrade():
    {body}
'''
TRANSFORMS = {
    "default_skills.json": '{"table": "users", "where": {"skills": null}, "set": {"skills": [{"name": "none"}]}}',
    "count_once.py": '''"""Count every user."""
from typing import Any

import backfill
from backfill import Rows


@backfill.transform("users")
def count_once(users: Rows) -> dict[str, Any]:
    """One more."""
    return {"n": users.c.n + 1}
''',
}


@dataclass(frozen=True)
class State:
    """What the database holds between two upgrades."""

    revision: str | None
    users: int
    filled: int
    different: int
    """Values that the filled column holds: one is right."""
    counted_once: int
    counted_wrongly: int

    @property
    def is_ahead(self) -> bool:
        """Whether the stamped revision promises more than the rows hold."""
        stamped = self.revision or ""
        return (stamped >= "r2" and self.filled < self.users) or (stamped >= "r3" and self.counted_once < self.users)

    @property
    def is_right(self) -> bool:
        """Whether everything is done, and nothing twice."""
        done = self.users == self.filled == self.counted_once
        return done and self.different == 1 and self.revision == "r4_contract" and not self.counted_wrongly


def write_project(folder: Path, url: str) -> None:
    """Write what `alembic init` writes, with the URL set, and the revisions and transforms."""
    subprocess.run([sys.executable, "-m", "alembic", "init", "migrations"], cwd=folder, check=True, capture_output=True)
    ini = folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", url.replace("%", "%%")))
    parent = None
    for name, body in REVISIONS.items():
        file = folder / "migrations" / "versions" / f"{name}.py"
        file.write_text(REVISION.format(name=name, parent=parent, body=body))
        parent = name
    (folder / "transforms").mkdir()
    for name, text in TRANSFORMS.items():
        (folder / "transforms" / name).write_text(text)


def make_users(engine: sa.Engine, rows: int) -> None:
    """Make the table, with gaps between the ids."""
    with engine.begin() as connection:
        connection.execute(sa.text(USERS))
        statement = sa.text("INSERT INTO users VALUES (:id, :email, :bio, 0)")
        for start in range(0, rows, 50_000):
            ids = range(start, min(start + 50_000, rows))
            connection.execute(statement, [{"id": 3 * n, "email": f"user{n}", "bio": "x" * 90} for n in ids])


def look(engine: sa.Engine) -> State:
    """Read what the database holds."""
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        revision = None
        if inspector.has_table("alembic_version"):
            revision = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        expanded = any(column["name"] == "skills" for column in inspector.get_columns("users"))
        skills = "skills" if expanded else "NULL"
        columns = (f"count({skills})", f"count(DISTINCT CAST({skills} AS CHAR(200)))", *map(_counting, COUNTS))
        counts = connection.execute(sa.text(f"SELECT count(*), {', '.join(columns)} FROM users")).one()
    return State(revision, *map(int, counts))


COUNTS = ("n = 1", "n > 1")


def _counting(condition: str) -> str:
    return f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)"


def upgrade(folder: Path, seconds: float | None = None) -> int | None:
    """Run `alembic upgrade head`; kill it so many seconds after it has begun. Gives its exit code; None: killed."""
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    environment = {**os.environ, "BACKFILL_BATCH_SIZE": "1000", "BACKFILL_MAX_BATCH_SIZE": "2000"}
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        told = process.stderr.readline()  # env.py is connected
        try:
            told += process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None
    if process.returncode:
        sys.stderr.write(told.decode())
    return process.returncode


def forget(engine: sa.Engine) -> None:
    """Drop every table."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    metadata.drop_all(engine)


def clear_rebuild(engine: sa.Engine) -> None:
    """Drop what Alembic leaves on SQLite when its rebuild of a table is killed, as the README advises."""
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS _alembic_tmp_users"))


def undisturbed_seconds(engine: sa.Engine, folder: Path, rows: int) -> float:
    """How long the upgrade takes when nobody kills it."""
    make_users(engine, rows)
    started = time.monotonic()
    assert upgrade(folder) == 0, "an upgrade that nobody kills goes to head"
    seconds = time.monotonic() - started
    forget(engine)
    return seconds


def attack(url: str, rows: int, kills: int, seed: int) -> Iterator[State]:
    """Give the state after each kill, and at the end. The kills are spread over the whole upgrade."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder, url)
        longest = 1.6 * (undisturbed_seconds(engine, folder, rows) / kills + START_SECONDS)
        make_users(engine, rows)
        for _ in range(kills):
            if upgrade(folder, chance.uniform(0, longest)) is not None:
                break
            yield look(engine)
            clear_rebuild(engine)
        assert upgrade(folder) == 0, "the last upgrade, which nobody kills, goes to head"
        yield look(engine)
    engine.dispose()


def main() -> None:
    """Attack, and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.upgrades")
    parser.add_argument("url")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started, ahead, states = time.monotonic(), 0, 0
    for state in attack(options.url, options.rows, options.kills, options.seed):
        states += 1
        ahead += state.is_ahead or state.counted_wrongly > 0
        say(f"{states:3}  {state}")
    is_right = state.is_right and state.users == options.rows
    verdict = "every user right" if is_right else "WRONG"
    say(f"{states - 1} kills, {ahead} times ahead of the rows, {verdict}, {time.monotonic() - started:.0f} s")
    if states <= options.kills:
        say("the upgrade ended before the last kill: repeat it with another --seed")
    sys.exit(0 if is_right and not ahead and states > options.kills else 1)


def say(line: str) -> None:
    """Print at once, so that a long attack can be watched."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
