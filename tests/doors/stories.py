"""What the files of a test's project say: models, transforms, and a history that expands, fills and contracts."""

MODELS = """
from sqlalchemy import Column, Integer, MetaData, String, Table

metadata = MetaData()
Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("visits", Integer, nullable=False, server_default="0"),
    Column("greeting", String(200), nullable=False),
)
"""

TRANSFORMS = {
    "greet": """
        @backfill.transform("users", where=is_missing("greeting"))
        def greet(user: User) -> Greeting:
            meet(user.id)
            return Greeting(greeting=f"Hello {user.name}")
    """,
    # Only the checkpoint keeps it from counting twice.
    "count_visits": """
        @backfill.transform("users")
        def count_visits(user: User) -> Visits:
            meet(user.id)
            return Visits(visits=user.visits + 1)
    """,
}

PREAMBLE = '''
"""Fill a column of users."""

from pydantic import BaseModel

import backfill
from backfill import is_missing
from fate import meet


class User(BaseModel):
    id: int
    name: str
    visits: int


class Greeting(BaseModel):
    greeting: str


class Visits(BaseModel):
    visits: int

'''

FATE = '''
"""What befalls a worker when it meets a row, as the environment says."""

import os
import signal
import time
from pathlib import Path

import sqlalchemy as sa

SESSIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mysql": "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}
TERMINATE = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}


def meet(row: int) -> None:
    if os.environ.get("CUT_AT") == str(row):
        cut()
    if os.environ.get("KILLED_AT") == str(row):
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("RAISES_AT") == str(row):
        raise ValueError("this row cannot be filled")
    if os.environ.get("HELD_AT") == str(row):
        Path("held").touch()
        while not Path("go").exists():
            time.sleep(0.01)


def cut() -> None:
    engine = sa.create_engine(os.environ["CUT_URL"], poolclass=sa.NullPool)
    name = engine.dialect.name
    with engine.connect() as connection:
        for session in connection.scalars(sa.text(SESSIONS[name])).all():
            connection.execute(sa.text(TERMINATE[name].format(session)))
'''

USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("visits", sa.Integer(), server_default="0", nullable=False),
)
"""
EXPAND = 'op.add_column("users", sa.Column("greeting", sa.String(200), nullable=True))'
FILL = 'run_backfill("greet")'
CONTRACT = """
require_backfill("greet")
with op.batch_alter_table("users") as users:
    users.alter_column("greeting", existing_type=sa.String(200), nullable=False)
"""
WIDEN = """
with op.batch_alter_table("users") as users:
    users.alter_column("greeting", existing_type=sa.String(200), nullable=True)
"""

REVISION = """
import sqlalchemy as sa
from alembic import op
from backfill.alembic import create_ledger, drop_ledger, require_backfill, reset_backfill, run_backfill, undo_backfill

revision = {name!r}
down_revision = {down!r}


def upgrade():
{upgrade}


def downgrade():
{downgrade}
"""

PER_ENGINE = """
import sqlalchemy as sa
from alembic import op
from backfill.alembic import require_backfill, reset_backfill, run_backfill

revision = {name!r}
down_revision = {down!r}


def upgrade(engine_name):
    if engine_name == {engine!r}:
{upgrade}


def downgrade(engine_name):
    if engine_name == {engine!r}:
{downgrade}
"""
