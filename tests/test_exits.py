"""Every error becomes one clear sentence on stderr and an exit code."""

import importlib.util
from pathlib import Path
from types import ModuleType

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import InvalidRequestError, OperationalError

from backfill import errors
from backfill.blame import code_of, place_of
from backfill.command.exits import exit_codes
from backfill.errors import BackfillError, ChecksFailed
from backfill.escaping import safe_text
from backfill.fault import Fault, Faulted
from backfill.finding import Finding

ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BackfillError)]
CODES = {"Refused": 2, "RunFailed": 1, "Stopped": 3}


def leave_with(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Leave a command by an error: the exit code, and what is told on stderr."""
    with pytest.raises(SystemExit) as left, exit_codes():
        raise error
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    return left.value.code, told.err  # type: ignore[return-value]


GOES_ON = {"Stopped": ". To go on: the same command"}


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind is not ChecksFailed and kind is not BackfillError])
def test_each_error_has_its_familys_code(kind: type[BackfillError], capsys: pytest.CaptureFixture[str]) -> None:
    """2 refused, with a code; 1 failed; 3 stopped, with the way on where work is left."""
    (family,) = [base for base in kind.__mro__ if base.__name__ in CODES]
    code = f"[{kind.code}] " if family.__name__ == "Refused" else ""
    told = f"Error: {code}what happened{GOES_ON.get(family.__name__, '')}\n"
    assert leave_with(kind("what happened"), capsys) == (CODES[family.__name__], told)


def test_the_tree_names_every_error() -> None:
    """The drawing at the top of the module is complete, and so are the three families."""
    drawn = errors.__doc__ or ""
    assert [kind.__name__ for kind in ERRORS if f"{kind.__name__} " not in drawn and kind is not BackfillError] == []
    assert {kind.exit_code for kind in ERRORS} == {1, 2, 3}


def test_findings_are_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Each finding with its code."""
    error = ChecksFailed("fill", [Finding("a", "one"), Finding("b", "two")])
    assert leave_with(error, capsys) == (
        2,
        "Error: fill cannot run, and nothing was written:\n  [a] one\n  [b] two\n",
    )


def test_an_error_of_the_database_loses_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    """SQL, parameters and the driver's message may hold values; the code is enough."""
    error = OperationalError("SELECT 'canary'", {"name": "canary"}, Exception("canary"))
    assert leave_with(error, capsys) == (1, "Error: SQLAlchemy refused a statement: OperationalError (Exception)\n")
    code, told = leave_with(InvalidRequestError("canary"), capsys)
    assert (code, "canary" in told) == (1, False)
    assert leave_with(Faulted(Fault.UNKNOWN, "42501"), capsys) == (
        1,
        "Error: the database refused a statement: 42501\n",
    )


def test_anything_else_is_told_by_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    """A bug is a sentence too: file, line and kind, without the message that may hold a value."""
    code, told = leave_with(ValueError("canary"), capsys)
    assert code == 1
    assert told.startswith("Error: unexpected: ")
    assert told.endswith(": ValueError\n")
    assert "test_exits.py, line" in told


def test_ctrl_c_leaves_work(capsys: pytest.CaptureFixture[str]) -> None:
    """Outside a batch Ctrl-C ends at once, with the code of a stopped run."""
    code, told = leave_with(KeyboardInterrupt(), capsys)
    assert code == 3
    assert "stopped by Ctrl-C" in told


@pytest.mark.parametrize(
    "error", [click.UsageError("x"), click.Abort(), click.exceptions.Exit(7), BrokenPipeError(), SystemExit(9)]
)
def test_what_click_handles_is_left_to_it(error: BaseException) -> None:
    """Its own errors have words and codes already."""
    with pytest.raises(type(error)) as raised, exit_codes():
        raise error
    assert raised.value is error


@given(st.text())
def test_no_text_commands_the_terminal(text: str) -> None:
    """What is left is printable, line by line, and printable text is left as it is."""
    told = safe_text(text)
    assert all(character.isprintable() or character == "\n" for character in told)
    assert told == text or not text.replace("\n", "").isprintable()


# ── whose fault it was ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the path of a module of the project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "steps.py"


def blame(code: Path, text: str) -> str:
    """Import the module and tell what is told of its error."""
    code.write_text(text)
    spec = importlib.util.spec_from_file_location("steps", code)
    assert spec is not None
    assert spec.loader is not None
    try:
        spec.loader.exec_module(ModuleType("steps"))
    except Exception as error:
        return place_of(error)
    raise AssertionError("it was to fail")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = (", "steps.py, line 1: SyntaxError: '(' was never closed"),
        ("\n\nimport nowhere_at_all", "steps.py, line 3: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("x = y", "steps.py, line 1: NameError: name 'y' is not defined"),
        ("len(1, 2)", "steps.py, line 1: TypeError: len() takes exactly one argument (2 given)"),
        ("''.x", "steps.py, line 1: AttributeError: 'str' object has no attribute 'x'"),
        ("{}['canary']", "steps.py, line 1: KeyError"),
        ("int('canary')", "steps.py, line 1: ValueError"),
        ("import json\n\njson.loads('canary')", "steps.py, line 3: JSONDecodeError"),
        ("import backfill\nbackfill.nothing", "steps.py, line 2: AttributeError: module 'backfill' has no attr"),
    ],
)
def test_the_blame_is_on_the_projects_line(text: str, told: str, code: Path) -> None:
    """The last line of the project's own, whatever library failed below it; a message only if it is about code."""
    assert blame(code, text).startswith(told)
    assert "canary" not in blame(code, text)


def test_an_error_that_was_never_raised_has_no_place() -> None:
    """There is no line to name, and nothing breaks."""
    assert place_of(ValueError("canary")) == "somewhere: ValueError"


class Original(Exception):
    """A driver's error that has a code, as psycopg's and sqlite3's have."""

    sqlstate = None
    sqlite_errorname = "SQLITE_BUSY"


@pytest.mark.parametrize(
    ("original", "code"),
    [
        (Original("canary"), "SQLITE_BUSY"),
        (Exception(2003, "canary"), "2003"),
        (Exception("canary"), "Exception"),
        (Exception(), "Exception"),
    ],
)
def test_the_databases_own_code(original: Exception, code: str) -> None:
    """By whatever name the driver keeps it; else the class, never the text."""
    assert code_of(OperationalError("", {}, original)) == code
