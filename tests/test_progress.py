"""Told of every batch, and tells people."""

import logging
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from backfill.running import progress
from backfill.running.progress import Progress, logging_to_stderr
from tests.workspace import SLOWLY, Workspace


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Give the log of a process without a terminal in which every batch is told."""
    monkeypatch.setattr(progress, "LOG_SECONDS", 0)
    caplog.set_level(logging.INFO, "alembic.backfill")
    return caplog


# ── without a terminal ──────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_terminal_there_is_a_line(
    impatient: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of about how many, and what was written; nothing is printed."""
    with Progress("fill") as told:
        told.begin(1_000, 200_000)
        told.advance(500, 499)
    assert impatient.messages == ["fill: 1,500 of about 200,000 rows walked, 499 written in this session"]
    assert capsys.readouterr() == ("", "")


def test_without_an_estimate_none_is_told(impatient: pytest.LogCaptureFixture) -> None:
    """What is not known is not claimed."""
    with Progress("fill") as told:
        told.begin(0, None)
        told.advance(500, 500)
    assert impatient.messages == ["fill: 500 rows walked, 500 written in this session"]


def test_a_line_comes_every_few_seconds(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are many, lines are few."""
    caplog.set_level(logging.INFO, "alembic.backfill")
    clock = iter(range(100))
    monkeypatch.setattr("backfill.running.progress.time.monotonic", lambda: float(next(clock)))
    with Progress("fill") as told:
        told.begin(0, None)
        for _ in range(50):
            told.advance(1, 1)
    assert 5 <= len(caplog.messages) <= 10


def test_waiting_for_a_lease_is_told_once(impatient: pytest.LogCaptureFixture) -> None:
    """The lease is looked at four times a second."""
    with Progress("fill") as told:
        for seconds in (29.6, 29.3, None):
            told.wait_for_lease("process 4711 on web-1", seconds)
    assert impatient.messages == ["fill: held by process 4711 on web-1; if that is dead, its lease ends in 30 s"]


def test_the_command_logs_without_any_set_up(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a bare database nobody configures logging, and the lines are there all the same, on stderr."""
    sqlite_workspace.add_users(100)
    sqlite_workspace.write_fill()
    program = (
        "import backfill.running.progress as p; p.LOG_SECONDS = 0; "
        "from backfill.cli import cli; cli(['run', 'fill_nickname', '--batch-size', '30'])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert re.search(r"fill_nickname: \d+ of about 100 rows walked, \d+ written in this session\n", ended.stderr)
    assert ended.stdout == "fill_nickname: completed. 100 rows walked, 100 written.\n"


def test_a_project_that_logs_is_left_alone() -> None:
    """Where handlers are set up, none is added; otherwise one is, and it is taken away again."""
    root = logging.getLogger()
    kept = list(root.handlers)
    try:
        with logging_to_stderr():
            assert root.handlers == kept
        root.handlers = []
        with logging_to_stderr():
            assert len(root.handlers) == 1
        assert root.handlers == []
    finally:
        root.handlers = kept


def test_what_the_driver_logs_beside_its_errors_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Psycopg names the connection and its state; the error itself is told in our words."""
    root = logging.getLogger()
    kept, root.handlers = root.handlers, []
    try:
        with logging_to_stderr():
            logging.getLogger("psycopg").warning("error ignored terminating")
            progress.log.warning("what we say")
    finally:
        root.handlers = kept
    told = capsys.readouterr().err
    assert "what we say" in told
    assert "terminating" not in told


# ── on a terminal ───────────────────────────────────────────────────────────────────────────────────────────────────


def on_a_terminal(*command: str, columns: int = 120) -> tuple[int, str, str]:
    """Run a command whose stderr is a terminal: its exit code, its stdout, its screen."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        screen = b""
        while chunk := read(ours):
            screen += chunk
        output, _ = process.communicate(timeout=30)
    os.close(ours)
    return process.returncode, output, screen.decode()


def read(terminal: int) -> bytes:
    """What was written to the terminal since; nothing once its last writer is gone."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def tell(tmp_path: Path, text: str, columns: int = 120) -> str:
    """Run a few lines that use Progress on a terminal; the screen."""
    script = tmp_path / "told.py"
    script.write_text("import logging, time\nfrom backfill.running.progress import Progress, log\n" + text)
    code, output, screen = on_a_terminal(sys.executable, str(script), columns=columns)
    assert code == 0, screen
    assert output == ""
    return screen


def test_the_bar_of_a_run(sqlite_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of about how many, rows per second and the time left; the result alone is on stdout."""
    sqlite_workspace.add_users(200)
    sqlite_workspace.write_fill(body=SLOWLY)
    monkeypatch.setenv("BACKFILL_MAX_BATCH_SIZE", "20")
    code, output, screen = on_a_terminal(sys.executable, "-m", "backfill", "run", "fill_nickname")
    assert code == 0
    assert output == "fill_nickname: completed. 200 rows walked, 200 written.\n"
    states = screen.split("\r")
    moving = [s for s in states if re.search(r"fill_nickname +\d+%\|.*\| \d+ of about 200 rows \[", s)]
    assert len(moving) > 2
    assert any(re.search(r"\d rows/s, 00:0\d left\]", state) for state in moving)
    assert "100%" in moving[-1]


@pytest.mark.parametrize("columns", [0, 60, 80])
def test_the_bar_fits_the_terminal(columns: int, tmp_path: Path) -> None:
    """On a narrow terminal, and on one that does not tell its width, all that matters is on one line."""
    screen = tell(tmp_path, "with Progress('fill') as p:\n p.begin(0, 123_000)\n p.advance(123_456, 9)\n", columns)
    states = [state for state in screen.split("\r") if "123,456 of about 123,456 rows" in state]
    assert states
    assert max(map(len, states)) <= (columns or 80)


def test_an_estimate_that_was_too_low(tmp_path: Path) -> None:
    """More rows than expected are no more than all of them: the bar never passes 100 %."""
    screen = tell(tmp_path, "with Progress('fill') as p:\n p.begin(0, 10)\n for _ in range(5): p.advance(9, 9)\n")
    assert "45 of about 45 rows" in screen
    assert all(int(percent) <= 100 for percent in re.findall(r"(\d+)%", screen))


def test_an_estimate_that_was_too_high(tmp_path: Path) -> None:
    """A completed run leaves a full bar, not the guess."""
    screen = tell(tmp_path, "with Progress('fill') as p:\n p.begin(0, 999)\n p.advance(9, 9)\n")
    last = screen.rstrip().split("\r")[-1]
    assert "100%" in last
    assert "9 of about 9 rows" in last


def test_a_stopped_run_does_not_look_complete(tmp_path: Path) -> None:
    """The last state of the bar says how far it came."""
    screen = tell(
        tmp_path,
        "import contextlib\n"
        "with contextlib.suppress(ValueError), Progress('fill') as p:\n"
        " p.begin(0, 100)\n p.advance(25, 25)\n raise ValueError\n",
    )
    last = screen.rstrip().split("\r")[-1]
    assert "25%" in last
    assert "25 of about 100 rows" in last


def test_a_resumed_run_beyond_its_estimate(tmp_path: Path) -> None:
    """A bar that begins behind its end shows neither 200 % nor a negative time."""
    screen = tell(tmp_path, "with Progress('fill') as p:\n p.begin(200, 100)\n p.advance(50, 50)\n")
    assert "250 of about 250 rows" in screen
    assert all(int(percent) <= 100 for percent in re.findall(r"(\d+)%", screen))
    assert "-" not in re.sub(r"[^-]*\x1b\S*", "", screen.split("|")[-1])


def test_without_an_estimate_there_is_no_percentage(tmp_path: Path) -> None:
    """Rows and rate are known, the end is not."""
    screen = tell(tmp_path, "with Progress('fill') as p:\n p.begin(0, None)\n p.advance(9, 9)\n")
    assert "%" not in screen
    assert "about" not in screen
    assert "9 rows [" in screen


def test_a_log_line_does_not_tear_the_bar(tmp_path: Path) -> None:
    """A line that is logged in between stands on a line of its own."""
    screen = tell(
        tmp_path,
        "logging.basicConfig(level=logging.INFO, format='LOG %(message)s')\n"
        "with Progress('fill') as p:\n p.begin(0, 100)\n p.advance(25, 25)\n p.say('a line')\n p.advance(25, 25)\n",
    )
    assert re.search(r"(^|[\r\n])LOG fill: a line\r?\n", screen), screen
    assert "50 of about 50 rows" in screen
