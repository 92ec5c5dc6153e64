"""env.py files that connect in their own way: async, a transaction of their own, tenants, drivers' modes."""

import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.util import CommandError

from tests.doors.conftest import USERS
from tests.doors.projects import Project, make_project
from tests.doors.stories import PER_ENGINE

CONNECTS = "with connectable.connect() as connection:"
OWN_TRANSACTION = {
    "engine.begin()": (CONNECTS, "with connectable.begin() as connection:"),
    "autobegin": (CONNECTS, f"{CONNECTS}\n        connection.exec_driver_sql('SELECT 1')"),
}
TENANT = f"""{CONNECTS}
        from sqlalchemy import text
        tenant = context.get_x_argument(as_dictionary=True)["tenant"]
        connection.execute(text(f"SET search_path TO {{tenant}}"))
        connection.commit()
        connection.dialect.default_schema_name = tenant
"""
SHARED_CONNECTION = """
connection = config.attributes["connection"]
context.configure(connection=connection, target_metadata=target_metadata)
with context.begin_transaction():
    context.run_migrations()
"""
BEGIN_EVENTS = f"""
    from sqlalchemy import event

    @event.listens_for(connectable, "connect")
    def leave_transactions_to_us(connection, record):
        connection.isolation_level = None

    @event.listens_for(connectable, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN")

    {CONNECTS}"""


# ── async ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("database", "driver"),
    [
        pytest.param("sqlite", "sqlite+aiosqlite", marks=pytest.mark.sqlite),
        pytest.param("postgresql", "postgresql+asyncpg", marks=pytest.mark.postgresql),
        pytest.param("postgresql", "postgresql+psycopg", marks=pytest.mark.postgresql),
    ],
)
def test_async_template(root: Path, request: pytest.FixtureRequest, database: str, driver: str) -> None:
    """Upgrade, kill, resume, defer and run go through the env.py of `alembic init -t async`."""
    url: sa.URL = request.getfixturevalue(f"{database}_url")
    project = make_project(root, url.set(drivername=driver), template="async")
    project.add_story()
    project.upgrade("users")
    project.url = url
    project.add_users(USERS)
    killed = project.call("alembic", "upgrade", "head", KILLED_AT="25")
    assert (killed.returncode, project.version(), project.greetings()) == (-9, "expand", 20), killed.stderr
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)
    command.check(project.config())
    project.add_revision("count", 'run_backfill("count_visits", mode="defer")')
    project.upgrade()
    ran = project.call("backfill", "run", "count_visits")
    assert (ran.returncode, project.visits()) == (0, [1] * USERS), ran.stderr


# ── a transaction that env.py owns ──────────────────────────────────────────────────────────────────────────────────


def test_transaction_of_env(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """In `with engine.begin()` the batches are savepoints, and the warning says so."""
    project.edit("migrations/env.py", *OWN_TRANSACTION["engine.begin()"])
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)
    assert "env.py owns the transaction" in capsys.readouterr().err


def test_failure_in_a_transaction_of_env(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing row takes with it what the database can take back, and a repeated upgrade is complete."""
    project.upgrade("expand")
    project.edit("migrations/env.py", *OWN_TRANSACTION["engine.begin()"])
    with monkeypatch.context() as environment:
        environment.setenv("RAISES_AT", "25")
        with pytest.raises(CommandError, match="greet failed: users row 25"):
            project.upgrade()
    assert project.version() == "expand"
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_backfill_run_beside_a_transaction_of_env(project: Project) -> None:
    """`backfill run` commits its batches all the same, on a connection of its own."""
    project.upgrade("expand")
    project.edit("migrations/env.py", *OWN_TRANSACTION["engine.begin()"])
    killed = project.call("backfill", "run", "greet", KILLED_AT="25")
    assert (killed.returncode, project.greetings()) == (-9, 20)
    assert project.call("backfill", "run", "greet").returncode == 0
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_statement_before_configure(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A transaction that env.py begins and never commits is Alembic's own trap: we warn, and lie about nothing."""
    project.upgrade("expand")
    project.edit("migrations/env.py", *OWN_TRANSACTION["autobegin"])
    project.upgrade("fill")
    assert "env.py owns the transaction" in capsys.readouterr().err
    assert project.version() == "expand"
    project.edit("migrations/env.py", "\n        connection.exec_driver_sql('SELECT 1')", "")
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)


def test_multidb_template(root: Path, tmp_path: Path, database_url: sa.URL) -> None:
    """The template that holds a transaction on every database fills the one whose revision says so."""
    project = make_project(root, database_url, template="multidb")
    shown = database_url.render_as_string(hide_password=False).replace("%", "%%")
    project.edit("alembic.ini", "sqlalchemy.url = driver://user:pass@localhost/dbname", f"sqlalchemy.url = {shown}")
    project.edit("alembic.ini", "driver://user:pass@localhost/dbname2", f"sqlite:///{tmp_path}/second.db")
    project.revision_template, project.template_values = PER_ENGINE, {"engine": "engine1"}
    project.add_story()
    project.upgrade("users")
    project.add_users(USERS)
    project.upgrade("expand")
    planned = project.call("backfill", "plan", "greet", "--bind", "engine1")
    assert "To run it:  backfill run --bind engine1 greet" in planned.stdout
    ran = project.call("backfill", "run", "greet", "--bind", "engine1")
    assert ran.returncode == 0, ran.stderr
    assert project.greetings() == USERS
    project.execute("UPDATE users SET greeting = NULL")
    project.upgrade()
    assert (project.version(), project.greetings()) == ("contract", USERS)
    unnamed = project.call("backfill", "status")
    assert unnamed.returncode == 2
    assert "it has: engine1, engine2. Say which with --bind" in unnamed.stderr


# ── tenants ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tenants_by_search_path(root: Path, postgresql_url: sa.URL) -> None:
    """Rows and ledger of a tenant are in the tenant's schema, and the other tenant's rows stay as they are."""
    project = make_project(root, postgresql_url)
    project.edit("migrations/env.py", CONNECTS, TENANT)
    project.add_story()
    for tenant in ("one", "two"):
        project.execute(f"CREATE SCHEMA {tenant}")
        project.upgrade("expand", f"tenant={tenant}")
        rows = [{"id": number, "name": tenant} for number in range(1, USERS + 1)]
        project.execute(f"INSERT INTO {tenant}.users (id, name) VALUES (:id, :name)", rows)
    project.upgrade("head", "tenant=one")
    assert set(project.scalars("SELECT greeting FROM one.users")) == {"Hello one"}
    assert project.scalars("SELECT status FROM one.backfill_run") == ["completed"]
    assert set(project.scalars("SELECT greeting FROM two.users")) == {None}
    ran = project.call("backfill", "run", "greet", "-x", "tenant=two")
    assert ran.returncode == 0, ran.stderr
    assert set(project.scalars("SELECT greeting FROM two.users")) == {"Hello two"}
    assert project.scalars("SELECT status FROM two.backfill_run") == ["completed"]
    assert project.scalars("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'") == []


# ── SQLite ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("begins", [False, True], ids=["connect", "begin"])
def test_in_memory_database(root: Path, sqlite_url: sa.URL, begins: bool) -> None:
    """A program that upgrades its in-memory database hands its connection over."""
    project = make_project(root, sqlite_url)
    env = (root / "migrations" / "env.py").read_text()
    (root / "migrations" / "env.py").write_text(env[: env.index("def run_migrations_offline")] + SHARED_CONNECTION)
    project.add_story()
    engine = sa.create_engine("sqlite://")
    with engine.begin() if begins else engine.connect() as connection:
        command.upgrade(project.config(connection=connection), "users")
        connection.exec_driver_sql("INSERT INTO users (id, name) VALUES (7, 'User 7')")
        if not begins:
            connection.commit()
        command.upgrade(project.config(connection=connection), "head")
        assert connection.exec_driver_sql("SELECT greeting FROM users").scalars().all() == ["Hello User 7"]
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["contract"]
    engine.dispose()


DRIVER_MODES = {
    "event recipe": (CONNECTS, BEGIN_EVENTS.lstrip()),
    "autocommit=False": ('prefix="sqlalchemy.",', 'prefix="sqlalchemy.", connect_args={"autocommit": False},'),
    "autocommit=True": ('prefix="sqlalchemy.",', 'prefix="sqlalchemy.", connect_args={"autocommit": True},'),
}


@pytest.mark.parametrize("mode", DRIVER_MODES)
def test_driver_modes(sqlite_project: Project, mode: str) -> None:
    """Each way in which sqlite3 begins transactions keeps whole batches, and only those."""
    if mode.startswith("autocommit") and sys.version_info < (3, 12):
        pytest.skip("sqlite3 has no autocommit before Python 3.12")
    sqlite_project.edit("migrations/env.py", *DRIVER_MODES[mode])
    killed = sqlite_project.call("alembic", "upgrade", "head", KILLED_AT="25")
    assert (killed.returncode, sqlite_project.version(), sqlite_project.greetings()) == (-9, "expand", 20)
    sqlite_project.upgrade()
    assert (sqlite_project.version(), sqlite_project.greetings()) == ("contract", USERS)
    sqlite_project.add_revision("count", 'run_backfill("count_visits")')
    sqlite_project.upgrade()
    assert sqlite_project.visits() == [1] * USERS


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────

SESSION = {
    "sqlite": ("PRAGMA busy_timeout = 4321", ["PRAGMA busy_timeout", "PRAGMA foreign_keys"]),
    "postgresql": (
        "SET lock_timeout = '12s'",
        ["SELECT name, setting FROM pg_settings WHERE left(name, 11) <> 'transaction' ORDER BY name"],
    ),
    "mysql": (
        "SET SESSION sql_mode = '', time_zone = '+05:00', innodb_lock_wait_timeout = 33",
        [
            "SELECT @@sql_mode, @@time_zone, @@innodb_lock_wait_timeout, @@max_statement_time, "
            "@@idle_transaction_timeout, @@tx_isolation, @@autocommit"
        ],
    ),
}
FILL_AND_COMPARE = """
def session():
    return [op.get_bind().exec_driver_sql(query).all() for query in {queries}]

op.get_bind().exec_driver_sql({setting!r})
before = session()
run_backfill("greet")
assert session() == before, [pair for pair in zip(before, session()) if pair[0] != pair[1]]
"""


def test_session_is_as_it_was(project: Project) -> None:
    """What a batch pins is the session's own again when run_backfill returns."""
    setting, queries = SESSION[project.url.get_backend_name()]
    upgrade = FILL_AND_COMPARE.format(setting=setting, queries=queries)
    path = project.root / "migrations" / "versions" / "fill.py"
    project.head = "expand"
    path.unlink()
    (path.parent / "contract.py").unlink()
    project.add_revision("fill", upgrade)
    project.upgrade()
    assert (project.version(), project.greetings()) == ("fill", USERS)


AS_READER = "    op.execute('SET ROLE pg_read_all_data')\n    "


def test_role_that_may_not_write(postgresql_project: Project) -> None:
    """Without the rights that a run needs there is one clear refusal, not a traceback."""
    postgresql_project.upgrade("expand")
    postgresql_project.edit("migrations/versions/fill.py", "    run_backfill", f"{AS_READER}run_backfill")
    with pytest.raises(CommandError, match=r"greet.*42501"):
        postgresql_project.upgrade()
    assert (postgresql_project.version(), postgresql_project.pending()) == ("expand", USERS)


def test_role_that_may_not_reset(postgresql_project: Project) -> None:
    """What the database refuses is told with its code alone: its own words may hold values of rows."""
    postgresql_project.upgrade("fill")
    postgresql_project.edit("migrations/versions/fill.py", "    reset_backfill", f"{AS_READER}reset_backfill")
    with pytest.raises(CommandError, match=r"^greet: .* statement: 42501, permission denied for table backfill_slice$"):
        postgresql_project.downgrade("expand")
    assert (postgresql_project.version(), postgresql_project.status()) == ("fill", "completed")
