"""The `backfill` command, on a database that is named by its URL."""

import json
import signal
import subprocess
import sys

import pytest

from backfill.cli import cli
from tests.workspace import SLOWLY, Workspace

COMMANDS = sorted(cli.commands)
COUNTER = '''
    """Counts."""

    from typing import Any

    import backfill
    from backfill import Rows


    @backfill.transform("users")
    def count_up(users: Rows) -> dict[str, Any]:
        """One more."""
        return {"score": users.c.score + 1}
'''


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """Give a project with 100 users and a transform that has completed."""
    workspace.add_users(100)
    workspace.write_fill()
    assert workspace.run("run", "fill_nickname", "--batch-size", "30").exit_code == 0
    return workspace


@pytest.fixture
def slow(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give a project whose run takes a while, in batches of twenty rows."""
    return make_slow(workspace, monkeypatch)


@pytest.fixture
def slow_sqlite(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Give the same on SQLite alone, where the database does not matter."""
    return make_slow(sqlite_workspace, monkeypatch)


def make_slow(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Make 200 users and a transform that takes five milliseconds for each."""
    workspace.add_users(200)
    workspace.write_fill(body=SLOWLY)
    monkeypatch.setenv("BACKFILL_MAX_BATCH_SIZE", "20")
    return workspace


# ── help ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_help_imports_nothing_heavy() -> None:
    """What makes --help quick: none of the libraries that take long to import is imported."""
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "backfill", "--help"], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in ended.stderr.splitlines()}
    assert {"click", "backfill"} <= imported
    assert not imported & {"sqlalchemy", "alembic", "pydantic", "tqdm", "tenacity", "flask"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, sqlite_workspace: Workspace) -> None:
    """--help and -h say what it does, and what each of its options means."""
    result = sqlite_workspace.run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout == sqlite_workspace.run(command, "-h").stdout
    assert result.stdout.startswith(f"Usage: cli {command}")
    options = [parameter for parameter in cli.commands[command].params if parameter.param_type_name == "option"]
    assert [option.name for option in options if not getattr(option, "help", None)] == []


def test_the_version_is_told(sqlite_workspace: Workspace) -> None:
    """--version names the program and a number."""
    assert "version 0." in sqlite_workspace.run("--version").stdout


# ── init, new, list ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", [[], ["--sql"]])
def test_what_new_writes_runs_as_it_stands(form: list[str], workspace: Workspace) -> None:
    """From nothing: init, new, plan, run, verify; each exits with 0 and no row is left."""
    workspace.add_users(30)
    assert workspace.run("init").exit_code == 0
    assert workspace.run("new", "fill_it", "--table", "users", "--column", "nickname", *form).exit_code == 0
    assert workspace.run("list").stdout.startswith("fill_it  (users)  Say in one sentence")
    assert workspace.run("plan", "fill_it").exit_code == 0
    assert "30 rows walked, 30 written" in workspace.run("run", "fill_it").stdout
    assert workspace.run("verify", "fill_it").exit_code == 0
    assert [row[2] for row in workspace.rows()] == [str(n) for n in range(1, 31)]


def test_init_twice_keeps_what_is_there(sqlite_workspace: Workspace) -> None:
    """A second init destroys nothing and says so."""
    sqlite_workspace.run("init")
    file = sqlite_workspace.write("transforms/__init__.py", "mine = 1\n")
    result = sqlite_workspace.run("init")
    assert result.exit_code == 0
    assert "kept     transforms/__init__.py" in result.stdout
    assert file.read_text() == "mine = 1\n"


def test_list_goes_on_after_a_broken_file(sqlite_workspace: Workspace) -> None:
    """One file that cannot be read hides no other, and is told on stderr with its line."""
    sqlite_workspace.write_fill("a_fill")
    sqlite_workspace.write("transforms/broken.py", "x = (\n")
    sqlite_workspace.write_fill("z_fill")
    result = sqlite_workspace.run("list")
    assert result.exit_code == 2
    assert [line.partition(" ")[0] for line in result.stdout.splitlines()] == ["a_fill", "z_fill"]
    assert "transforms/broken.py, line 1: SyntaxError" in result.stderr


def test_an_empty_list_says_how_to_begin(sqlite_workspace: Workspace) -> None:
    """Nothing to list is said in words."""
    sqlite_workspace.write("transforms/__init__.py", "")
    assert "backfill new NAME" in sqlite_workspace.run("list").stdout


# ── plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_plan_shows_and_writes_nothing(workspace: Workspace) -> None:
    """What is read and written, how many rows, the first of them before and after; and all is as it was."""
    workspace.add_users(40)
    workspace.write_fill()
    before = workspace.rows()
    result = workspace.run("plan", "fill_nickname")
    assert result.exit_code == 0
    assert "reads       id, name" in result.stdout
    assert "writes      nickname" in result.stdout
    assert "1: id=1, name='canary0', nickname=None  →  nickname='u1'" in result.stdout
    assert "Nothing was written. To run it:  backfill run fill_nickname" in result.stdout
    assert workspace.rows() == before
    assert workspace.tables() == {"users"}


def test_plan_names_the_run_that_was_planned(sqlite_workspace: Workspace) -> None:
    """With the options that it was planned with."""
    sqlite_workspace.add_users(4)
    sqlite_workspace.execute("CREATE TRIGGER t AFTER UPDATE ON users BEGIN SELECT 1; END")
    sqlite_workspace.write_fill()
    options = ("--accept", "trigger", "--batch-size", "2", "--keep-undo")
    planned = sqlite_workspace.run("plan", "fill_nickname", *options).stdout
    command = "backfill run fill_nickname --accept trigger --batch-size 2 --keep-undo"
    assert planned.endswith(f"To run it:  {command}\n")
    assert sqlite_workspace.run(*command.split()[1:]).exit_code == 0
    assert sqlite_workspace.status().keeps_undo


def test_plan_leaves_an_existing_ledger_alone(filled: Workspace) -> None:
    """A plan is not a run: the ledger has not one row more, nor another status."""
    counts = [filled.count(table) for table in ("backfill_run", "backfill_slice")]
    filled.execute("UPDATE users SET nickname = NULL WHERE id = 7")
    before = filled.rows()
    assert "nickname='u7'" in filled.run("plan", "fill_nickname").stdout
    assert [filled.count(table) for table in ("backfill_run", "backfill_slice")] == counts
    assert filled.rows() == before
    assert filled.status().status == "completed"


def test_plan_of_a_filled_table_says_so(filled: Workspace) -> None:
    """With nothing to write there is no row to show, and no command to recommend."""
    result = filled.run("plan", "fill_nickname")
    assert result.exit_code == 0
    assert "no row is left to write" in result.stdout
    assert result.stdout.endswith("Nothing was written.\n")


# ── run ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_run_fills_every_row_once(filled: Workspace) -> None:
    """Every row has its value, and the ledger agrees."""
    assert [row[2] for row in filled.rows()] == [f"u{n}" for n in range(1, 101)]
    run = filled.status()
    assert (run.status, run.rows_read, run.rows_written) == ("completed", 100, 100)


def test_run_does_nothing_when_complete(filled: Workspace) -> None:
    """The second time it says so plainly, and no row and no run is added."""
    before = filled.rows()
    result = filled.run("run", "fill_nickname")
    assert result.exit_code == 0
    assert result.stdout.startswith("fill_nickname: nothing to do, it was completed on 20")
    assert filled.rows() == before
    assert filled.count("backfill_run") == 1


def test_run_runs_again_when_rows_were_added(filled: Workspace) -> None:
    """Rows without the value, added after the end, are a new run's work; the others are not written again."""
    filled.add_users(7)
    result = filled.run("run", "fill_nickname")
    assert result.exit_code == 0
    assert "107 rows walked, 7 written" in result.stdout
    assert filled.count("backfill_run") == 2


def test_a_counter_is_not_counted_twice(workspace: Workspace) -> None:
    """What only its checkpoint makes exactly once is not run again unasked, and is when it is asked for."""
    workspace.add_users(20)
    workspace.run("init")
    workspace.write("transforms/count_up.py", COUNTER)
    for _ in range(3):
        assert workspace.run("run", "count_up").exit_code == 0
    assert {row[3] for row in workspace.rows()} == {2}
    refused = workspace.run("run", "count_up", "--from-start")
    assert refused.exit_code == 2
    assert refused.stderr.endswith(
        "Restore the rows first; once that is done: backfill run count_up --from-start --accept twice\n"
    )
    assert {row[3] for row in workspace.rows()} == {2}
    assert workspace.run("run", "count_up", "--from-start", "--accept", "twice").exit_code == 0
    assert {row[3] for row in workspace.rows()} == {3}


def test_a_rejected_row_stops_the_run_and_can_be_mended(workspace: Workspace) -> None:
    """Exit code 1, the reason in the ledger without the row's values; mended, the same command goes on."""
    workspace.add_users(20)
    body = 'if user.id == 5: raise Rejected("a name is too short")\n        return Written(nickname=f"u{user.id}")'
    workspace.write_fill(body=body)
    result = workspace.run("run", "fill_nickname", "--batch-size", "4")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: users row 5: a name is too short. Correct it, then: backfill run fill_nickname   "
        "Or leave rows like it out for now: backfill run fill_nickname --max-rejections 1%\n"
    )
    told = workspace.run("status", "fill_nickname").stdout
    assert "failed" in told
    assert "a name is too short. To go on: backfill run fill_nickname" in told
    assert [row[2] for row in workspace.rows()[:6]] == ["u1", "u2", "u3", "u4", None, None]
    workspace.write_fill()
    refused = workspace.run("run", "fill_nickname")
    assert refused.exit_code == 2
    assert "--accept-change" in refused.stderr
    assert workspace.run("run", "fill_nickname", "--accept-change").exit_code == 0
    assert [row[2] for row in workspace.rows()] == [f"u{n}" for n in range(1, 21)]


# ── stopping ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_ctrl_c_stops_after_the_batch(slow: Workspace) -> None:
    """Exit code 3, status paused with the reason, whole batches only; the same command completes it."""
    require_a_stop_after_the_batch(slow, signal.SIGINT)


def test_sigterm_stops_after_the_batch(slow_sqlite: Workspace) -> None:
    """A supervisor is obeyed in the same way."""
    require_a_stop_after_the_batch(slow_sqlite, signal.SIGTERM)


def require_a_stop_after_the_batch(slow: Workspace, number: signal.Signals) -> None:
    """Start a run, send it the signal, see that it is paused, and complete it."""
    with slow.start("run", "fill_nickname") as process:
        slow.wait_for_progress()
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    assert output == ""
    assert errors.endswith(f"Error: stopped by {number.name}. To go on: the same command\n")
    assert "Traceback" not in errors
    run = slow.status()
    assert (run.status, run.reason, run.owner) == ("paused", f"stopped by {number.name}", None)
    filled = [row for row in slow.rows() if row[2]]
    assert len(filled) == run.rows_read == run.rows_written < 200
    assert f"stopped by {number.name}. To go on: backfill run fill_nickname" in slow.run("status").stdout
    assert slow.run("run", "fill_nickname").exit_code == 0
    assert slow.status().rows_written == 200


def test_a_killed_run_is_told_and_goes_on_at_once(slow: Workspace) -> None:
    """After kill -9 status says that the worker is gone; the same command does not wait for its lease."""
    with slow.start("run", "fill_nickname") as process:
        slow.wait_for_progress()
        process.kill()
    assert process.returncode == -signal.SIGKILL
    told = slow.run("status").stdout
    assert "running" in told
    assert "fill_nickname: its worker is gone; to go on: backfill run fill_nickname" in told
    (run,) = json.loads(slow.run("status", "--json").stdout)
    assert (run["status"], run["reason"]) == ("running", "its worker is gone; to go on: backfill run fill_nickname")
    with slow.start("run", "fill_nickname") as again:  # 30 s of lease would be too long
        output, errors = again.communicate(timeout=15)
    assert again.returncode == 0, errors
    assert "200 rows walked, 200 written" in output
    assert [row[2] for row in slow.rows()] == [f"u{n}" for n in range(1, 201)]


def test_pause_lets_the_run_finish_its_batch(slow: Workspace) -> None:
    """From another process: the run exits with 3, and goes on when it is told to."""
    with slow.start("run", "fill_nickname") as process:
        slow.wait_for_progress()
        assert "is at work" in slow.run("status").stdout
        assert slow.run("pause", "fill_nickname").stdout == "fill_nickname: paused\n"
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    assert "paused by `backfill pause`" in errors
    run = slow.status()
    assert run.status == "paused"
    assert len([row for row in slow.rows() if row[2]]) == run.rows_read == run.rows_written
    assert slow.run("run", "fill_nickname").exit_code == 0


def test_no_batch_commits_after_a_cancel(slow: Workspace) -> None:
    """From the moment of the cancel not one row more is written, though the process is in the middle of a batch."""
    with slow.start("run", "fill_nickname") as process:
        slow.wait_for_progress()
        assert slow.run("cancel", "fill_nickname").output == "fill_nickname: cancelled\n"
        left = slow.rows()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 3, errors
    assert slow.rows() == left
    assert any(row[2] is None for row in left)
    assert slow.status().status == "cancelled"


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_completed_run_cannot_be_stopped(verb: str, filled: Workspace) -> None:
    """It is refused with where to look, and nothing changes."""
    result = filled.run(verb, "fill_nickname")
    assert result.exit_code == 2
    assert "fill_nickname is completed and cannot become" in result.stderr
    assert filled.status().status == "completed"


# ── status ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_status_json_has_these_keys(filled: Workspace) -> None:
    """Programs rely on the names and types of every value."""
    (run,) = json.loads(filled.run("status", "fill_nickname", "--json").stdout)
    assert list(run) == [
        "name",
        "status",
        "reason",
        "rows_done",
        "rows_written",
        "rows_updated",
        "rows_inserted",
        "rows_deleted",
        "rows_skipped",
        "rows_estimated",
        "rows_per_second",
        "started_at",
        "updated_at",
        "completed_at",
    ]
    assert (run["name"], run["status"], run["reason"]) == ("fill_nickname", "completed", None)
    assert (run["rows_done"], run["rows_written"]) == (100, 100)
    assert run["rows_per_second"] > 0
    assert run["started_at"] <= run["updated_at"] <= run["completed_at"]
    assert run["completed_at"].startswith("20")
    assert run["completed_at"].endswith("Z")


def test_status_before_any_run(workspace: Workspace) -> None:
    """Without a ledger there is nothing to tell, and looking does not make one."""
    workspace.users.create(workspace.engine)
    assert "no run in this database yet" in workspace.run("status").stdout
    assert workspace.run("status", "--json").stdout == "[]\n"
    assert "fill_nickname has no run" in workspace.run("status", "fill_nickname").stdout
    assert workspace.tables() == {"users"}


def test_status_is_readable_in_eighty_columns(filled: Workspace) -> None:
    """The table of a completed run fits an ordinary terminal."""
    lines = filled.run("status").stdout.splitlines()
    assert lines[0].split() == ["name", "status", "walked", "written", "rows/s", "updated", "(UTC)"]
    assert lines[1].startswith("fill_nickname  completed  100")
    assert max(map(len, lines)) <= 80


# ── verify ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_verify_says_what_would_still_change(filled: Workspace) -> None:
    """0 when nothing would, 1 and the rows' keys when something would; and nothing is written."""
    assert filled.run("verify", "fill_nickname").exit_code == 0
    filled.execute("UPDATE users SET nickname = NULL WHERE id IN (3, 9)")
    before = filled.rows()
    result = filled.run("verify", "fill_nickname")
    assert result.exit_code == 1
    rest = "Not compared: rows that are filled already: no image of what they held before is kept."
    assert result.stdout == f"fill_nickname: 2 rows would still change, first: users 3, users 9. {rest}\n"
    assert filled.rows() == before


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "fill_nicknam"], "there is no transform 'fill_nicknam' in transforms/. Did you mean fill_nickname?"),
        (["plan", "nothing"], "there is no transform 'nothing'"),
        (["verify", "../x"], "there is no transform '../x'"),
        (["pause", "fill_nickname"], "fill_nickname has no run in this database"),
        (["cancel", "fill_nickname"], "fill_nickname has no run in this database"),
        (["undo", "fill_nickname"], "fill_nickname has no run in this database"),
        (["forget", "fill_nicknam"], "fill_nicknam has no run in this database"),
        (["run", "fill_nickname", "--batch-size", "0"], "0 is not in the range"),
        (["run"], "Missing argument 'NAME'"),
        (["runn", "fill_nickname"], "No such command 'runn'"),
        (["run", "fill_nickname", "--config", "nowhere.ini"], "'nowhere.ini' does not exist"),
        (["new", "Fill", "--table", "t", "--column", "c"], "'Fill' is no name for a transform"),
        (["new", "class", "--table", "t", "--column", "c"], "class means something else in Python"),
        (["new", "str", "--table", "t", "--column", "c"], "str means something else in Python"),
        (["new", "x", "--table", "t", "--column", "is"], "is is no name for a field"),
        (["new", "x", "--table", 't"t', "--column", "c"], "cannot be written into a file"),
        (["new", "fill_nickname", "--table", "t", "--column", "c"], "transforms/fill_nickname.py is there already"),
        (["demo", "--rows", "0"], "0 is not in the range"),
        (["demo", "--rows", "5"], "run it in a checkout of backfill"),
    ],
)
def test_bad_input_is_refused(arguments: list[str], said: str, sqlite_workspace: Workspace) -> None:
    """Exit code 2, one sentence on stderr, nothing on stdout, nothing written."""
    sqlite_workspace.add_users(3)
    sqlite_workspace.write_fill()
    before = sqlite_workspace.rows()
    result = sqlite_workspace.run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert sqlite_workspace.rows() == before
    assert sqlite_workspace.tables() == {"users"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def (:\n", "transforms/broken.py, line 1: SyntaxError: invalid syntax"),
        ("\nimport no_such_module\n", "line 2: ModuleNotFoundError: No module named 'no_such_module'"),
        ("from backfill import no_such_name\n", "line 1: ImportError: cannot import name 'no_such_name'"),
        ("x = nowhere\n", "line 1: NameError: name 'nowhere' is not defined"),
        ("import backfill\nbackfill.transfrom\n", "line 2: AttributeError: module 'backfill' has no attribute"),
        ("x = {}['canary']\n", "transforms/broken.py, line 1: KeyError\n"),
        ("x = int('canary')\n", "transforms/broken.py, line 1: ValueError\n"),
        ("raise Exception('canary')\n", "transforms/broken.py, line 1: Exception\n"),
        ("import backfill\nbackfill.transform(print)\n", "always with parentheses"),
        ("x = 1\n", "transforms/broken.py does not declare a transform called broken"),
        ("\0", "transforms/broken.py"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run", "verify"])
def test_a_broken_transform_is_refused(command: str, text: str, said: str, sqlite_workspace: Workspace) -> None:
    """File, line and error in one sentence; no traceback, no value, and the database is not touched."""
    sqlite_workspace.add_users(3)
    sqlite_workspace.write_fill()
    (sqlite_workspace.folder / "transforms/broken.py").write_text(text)
    result = sqlite_workspace.run(command, "broken")
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "canary" not in result.stderr
    assert sqlite_workspace.tables() == {"users"}


def test_a_table_that_does_not_fit_is_refused(workspace: Workspace) -> None:
    """Every finding has its code and is told at once; nothing is written."""
    workspace.users.create(workspace.engine)
    workspace.run("init")
    workspace.run("new", "fill_it", "--table", "users", "--column", "nicknam")
    result = workspace.run("run", "fill_it")
    assert result.exit_code == 2
    assert "fill_it cannot run, and nothing was written" in result.stderr
    assert "nickname" in result.stderr
    assert workspace.tables() == {"users"}


BODIES = {
    "an exception": "raise ValueError(user.name)",
    "an exception as text": "raise KeyError(user.name, user)",
    "a wrong type": "return Written(nickname=user)",
    "a wrong answer": "return user.name",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_no_row_value_is_told(command: str, body: str, workspace: Workspace) -> None:
    """Whatever fails about a row, neither output, nor status, nor ledger holds one of its values."""
    require_silence(workspace, command, body)


@pytest.mark.parametrize("command", ["plan", "run"])
def test_no_row_value_of_the_databases_is_told(command: str, server_workspace: Workspace) -> None:
    """Nor when it is the database that refuses a value, which its own message would quote."""
    require_silence(server_workspace, command, "return Written(nickname=user.name * 50)")


def require_silence(workspace: Workspace, command: str, body: str) -> None:
    """Let a row fail, and look for its values wherever something is told."""
    workspace.add_users(5)
    workspace.write_fill(body=body)
    result = workspace.run(command, "fill_nickname")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    told = result.output + workspace.run("status").output
    assert "canary" not in told
    assert "Traceback" not in told
    if command == "run":
        with workspace.engine.connect() as connection:
            ledger = connection.exec_driver_sql("SELECT * FROM backfill_run").all()
        assert "canary" not in str(ledger)
        assert workspace.status().status == "failed"


URLS = {
    "nobody listens": "postgresql+psycopg://me:SECRET@127.0.0.1:1/db",
    "nobody listens either": "mysql+pymysql://me:SECRET@127.0.0.1:1/db",
    "percent-encoded": "postgresql+psycopg://me:%40SECRET%2F@127.0.0.1:1/db",
    "not percent-encoded": "postgresql+psycopg://me:SECRET@x:y@127.0.0.1:1/db",
    "in the query": "postgresql+psycopg://me@127.0.0.1:1/db?password=SECRET",
    "in the query of MariaDB": "mysql+pymysql://me@127.0.0.1:1/db?password=SECRET",
    "an option that there is not": "mysql+pymysql://me:SECRET@127.0.0.1:1/db?nope=SECRET",
    "an option that is not a number": "postgresql+psycopg://me:SECRET@127.0.0.1:1/db?connect_timeout=SECRET",
    "a port that is not a number": "postgresql+psycopg://me:x@host:SECRET/db",
    "a slash in the password": "postgresql+psycopg://me:12/SECRET@127.0.0.1/db",
    "no host of that name": "postgresql+psycopg://me:SECRET@nowhere.invalid/db",
    "unknown database": "postgrey://me:SECRET@127.0.0.1/db",
    "unknown driver": "postgresql+nodriver://me:SECRET@127.0.0.1/db",
    "no URL": "SECRET",
    "no URL either": "//me:SECRET@127.0.0.1",
    "a connection string": "host=127.0.0.1 user=me password=SECRET",
    "no such file": "sqlite:////nowhere/SECRET.db",
    "an async driver": "sqlite+aiosqlite://me:SECRET@/",
}


@pytest.mark.parametrize("url", URLS.values(), ids=URLS)
def test_no_password_is_told(url: str, sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot be reached is refused in one sentence that holds nothing of the URL."""
    monkeypatch.setenv("BACKFILL_DATABASE_URL", url)
    sqlite_workspace.write_fill()
    for arguments in (["status"], ["run", "fill_nickname"], ["--help"], ["run", "fill_nickname", "--help"]):
        result = sqlite_workspace.run(*arguments)
        assert result.exit_code == (0 if "--help" in arguments else 2)
        assert "SECRET" not in result.output
        assert "Traceback" not in result.output
        if result.exit_code:
            assert result.stderr.startswith("Error: ")
            assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://me@127.0.0.1:1/db", "the database could not be reached"),
        ("mysql+pymysql://me@127.0.0.1:1/db", "the database could not be reached (2003)"),
        ("mssql+pymssql://me@host/db", "pymssql"),
        ("sqlite:///nowhere.db", "there is no such SQLite file"),
        ("nonsense", "BACKFILL_DATABASE_URL holds no URL"),
        ("foo://me@host/db", "names a database or a driver that SQLAlchemy does not know"),
    ],
)
def test_each_url_has_its_own_message(url: str, said: str, sqlite_workspace: Workspace) -> None:
    """What to mend differs, so the sentence does; and no SQLite file is made by looking."""
    result = sqlite_workspace.run("status", "--database", url)
    assert result.exit_code == 2
    assert said in result.stderr
    assert [path.name for path in sqlite_workspace.folder.glob("*.db")] == []


def test_a_missing_driver_is_named(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver, and what to install instead."""
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    result = sqlite_workspace.run("status", "--database", "mysql://me@127.0.0.1/db")
    assert result.exit_code == 2
    assert "the driver MySQLdb is not installed" in result.stderr
    assert "mysql+pymysql:// with 'backfill[mysql]'" in result.stderr


def test_without_database_and_environment(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is no project the three ways on are named."""
    monkeypatch.delenv("BACKFILL_DATABASE_URL")
    result = sqlite_workspace.run("status")
    assert result.exit_code == 2
    assert "there is no Alembic environment here" in result.stderr
    assert "--config" in result.stderr
    assert "BACKFILL_DATABASE_URL" in result.stderr


def test_a_ledger_of_the_future_is_left_alone(filled: Workspace) -> None:
    """A newer version's ledger is neither read nor written."""
    filled.execute("UPDATE backfill_version SET version = 99")
    for command in (["status"], ["run", "fill_nickname"], ["pause", "fill_nickname"]):
        result = filled.run(*command)
        assert result.exit_code == 2
        assert "has version 99" in result.stderr
