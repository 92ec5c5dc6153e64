"""The servers that every other test stands on."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.servers import Server

PROJECT = Path(__file__).parent.parent
guests = sa.Table("guests", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("postgresql", "mariadb")])
def server(request: pytest.FixtureRequest) -> Server:
    """Give each of the servers that run beside the tests."""
    server: Server = request.getfixturevalue(f"{request.param}_server")
    return server


def test_each_database_answers_by_its_name(engine: sa.Engine, request: pytest.FixtureRequest) -> None:
    """The test's identifier says which database it ran on."""
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.literal(42))) == 42
    name = "mariadb" if getattr(engine.dialect, "is_mariadb", False) else engine.dialect.name
    assert f"[{name}]" in request.node.name


def test_a_url_works_in_another_process(database_url: sa.URL) -> None:
    """A child process reaches the database by the URL's text alone."""
    program = "import sys, sqlalchemy as sa; print(sa.create_engine(sys.argv[1]).connect().scalar(sa.select(42)))"
    text = database_url.render_as_string(hide_password=False)
    assert subprocess.check_output([sys.executable, "-c", program, text], text=True).strip() == "42"


def test_each_database_is_transactional(engine: sa.Engine) -> None:
    """A row is seen by others after the commit, and never after a rollback."""
    guests.create(engine)
    with engine.connect() as writer, engine.connect() as reader:
        writer.execute(guests.insert())
        assert count_guests(reader) == 0
        writer.rollback()
        assert count_guests(writer) == 0
        writer.execute(guests.insert())
        writer.commit()
        reader.rollback()
        assert count_guests(reader) == 1


@pytest.mark.parametrize("visit", ["first", "second"])
def test_each_database_is_fresh(engine: sa.Engine, visit: str) -> None:
    """What one test leaves behind, the next one does not find."""
    assert sa.inspect(engine).get_table_names() == [], visit
    guests.create(engine)


def test_a_database_is_dropped_under_an_open_transaction(server: Server) -> None:
    """A connection that a killed test left behind does not keep its database alive."""
    url = server.create_database()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    guests.create(engine)
    lingering = engine.connect()
    count_guests(lingering)
    server.drop_database(url)
    lingering.invalidate()
    lingering.close()
    with pytest.raises(OperationalError, match=url.database):
        engine.connect()


def test_a_missing_server_is_skipped_loudly(tmp_path: Path) -> None:
    """The summary names the database that was not tested, and the reason."""
    run = run_pytest(write_test(tmp_path, WITHOUT_MARIADB))
    assert run.returncode == 0, run.stdout
    assert "== NOT TESTED: mariadb (nobody installed it) ==" in run.stdout


def test_a_required_server_must_not_be_missing(tmp_path: Path) -> None:
    """The environment turns the skip into a failure."""
    run = run_pytest(write_test(tmp_path, WITHOUT_MARIADB), BACKFILL_TEST_REQUIRE="postgresql,mariadb")
    assert run.returncode != 0
    assert "mariadb (nobody installed it), but BACKFILL_TEST_REQUIRE asks for it" in run.stdout


def test_a_misspelt_requirement_is_refused(tmp_path: Path) -> None:
    """A name that no database has must not pass as fulfilled."""
    run = run_pytest(write_test(tmp_path, WITHOUT_MARIADB), BACKFILL_TEST_REQUIRE="postgres")
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    assert "names postgres; known: sqlite, postgresql, mariadb" in run.stdout + run.stderr


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked up in /proc")
def test_a_killed_run_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    """After kill -9 of the tests neither the server's processes nor its directory remain."""
    if server.is_shared:
        pytest.skip("the developer's own server outlives the tests")
    run = run_pytest(write_test(tmp_path, KILLED.format(name=server.name)))
    assert run.returncode == -signal.SIGKILL, run.stdout
    wait_until_gone(Path((tmp_path / "directory").read_text()))


WITHOUT_MARIADB = """
    from tests.servers import Unavailable, mariadb

    def start():
        raise Unavailable("nobody installed it")

    mariadb.start = start

    def test_mariadb(mariadb_url):
        pass
    """

KILLED = """
    import os
    from pathlib import Path

    def test_killed({name}_url):
        query = {name}_url.query
        directory = query["host"] if "host" in query else os.path.dirname(query["unix_socket"])
        assert os.path.isdir(directory)
        Path(__file__).with_name("directory").write_text(directory)
        os.kill(os.getpid(), 9)
    """


def write_test(directory: Path, source: str) -> Path:
    """Write a test file that knows this project's fixtures."""
    path = directory / "test_inner.py"
    path.write_text(textwrap.dedent(source))
    return path


def run_pytest(path: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run pytest on one file, in another process, with this project's settings and fixtures."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BACKFILL_TEST_")}
    options = ["-c", str(PROJECT / "setup.cfg"), "-n", "0", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(path)],
        cwd=PROJECT,
        env=plain | environment,
        check=False,
        capture_output=True,
        text=True,
    )


def wait_until_gone(directory: Path) -> None:
    """Wait until neither the directory nor a process that names it is left."""
    deadline = time.monotonic() + 20
    while directory.exists() or processes_naming(directory):
        assert time.monotonic() < deadline, processes_naming(directory)
        time.sleep(0.05)


def processes_naming(directory: Path) -> list[str]:
    """Return the command lines in which the directory occurs."""
    return [line for path in Path("/proc").glob("[0-9]*/cmdline") if str(directory) in (line := read(path))]


def read(path: Path) -> str:
    """Read a file that may vanish meanwhile, as a process's does."""
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def count_guests(connection: sa.Connection) -> int:
    """Count the rows that this connection sees."""
    return connection.scalar(sa.select(sa.func.count()).select_from(guests)) or 0
