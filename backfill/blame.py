"""Blame: what may be told of somebody else's exception, whose message may hold a row's value or a password."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

from backfill.escaping import excerpt

_TELLING = (SyntaxError, ImportError, NameError, AttributeError, TypeError)
"""Their messages speak of the code, not of its data."""

_FOREIGN = (Path(__file__).parent, *(Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib")))


def place_of(error: BaseException) -> str:
    """File, line and kind of error, with its message if that is about the code."""
    return f"{file_and_line(error)}: {_kind(error)}"


def code_of(error: object) -> str:
    """The database's own code for an error of its driver; the driver's class if there is none."""
    original = getattr(error, "orig", None) or error
    first = next(iter(getattr(original, "args", ())), None)
    named = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
    return str(named or (first if isinstance(first, int) else type(original).__name__))


def file_and_line(error: BaseException) -> str:
    """Where in the project's own code an error came from; elsewhere if it came from nowhere in it."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_near(error.filename)}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _is_foreign(frame.filename)] or frames
    return f"{_near(theirs[-1].filename)}, line {theirs[-1].lineno}" if theirs else "somewhere"


def _is_foreign(filename: str) -> bool:
    """Not the project's own code: Python's, a library's or ours."""
    return filename.startswith("<") or any(Path(filename).is_relative_to(folder) for folder in _FOREIGN)


def _near(filename: str) -> str:
    path, here = Path(filename), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _kind(error: BaseException) -> str:
    told = error.msg if isinstance(error, SyntaxError | ImportError) else str(error)
    return f"{type(error).__name__}: {excerpt(str(told))}" if isinstance(error, _TELLING) else type(error).__name__
