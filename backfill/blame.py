"""Blame: what may be told of somebody else's exception, whose message may hold a row's value or a password."""

from __future__ import annotations

import dis
import sysconfig
import traceback
from pathlib import Path

from backfill.escaping import excerpt

_TELLING = (SyntaxError, ImportError, TypeError)
"""Their messages speak of the code, not of its data, unless the project itself raises them."""

_NAMING = (NameError, AttributeError)
"""Theirs too, if the name that they miss stands in the code."""

_RAISE = dis.opmap["RAISE_VARARGS"]

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


def is_ours(error: BaseException) -> bool:
    """Whether it was raised by our own code."""
    (*_, raised) = traceback.extract_tb(error.__traceback__)
    return Path(raised.filename).is_relative_to(_FOREIGN[0])


def _is_foreign(filename: str) -> bool:
    """Not the project's own code: Python's, a library's or ours."""
    return filename.startswith("<") or any(Path(filename).is_relative_to(folder) for folder in _FOREIGN)


def _near(filename: str) -> str:
    path, here = Path(filename), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _kind(error: BaseException) -> str:
    told = error.msg if isinstance(error, SyntaxError | ImportError) else str(error)
    return f"{type(error).__name__}: {excerpt(str(told))}" if _speaks_of_code(error) else type(error).__name__


def _speaks_of_code(error: BaseException) -> bool:
    if isinstance(error, _NAMING):
        return names_code(error)
    return isinstance(error, _TELLING) and not _is_raised_by_project(error)


def names_code(error: NameError | AttributeError) -> bool:
    """Whether the name that is missing stands in the code; that of a getattr() may be a value."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(error.name in frame.f_code.co_names for frame in frames)


def _is_raised_by_project(error: BaseException) -> bool:
    """Whether a `raise` of the project's own made the error, with a message of its own."""
    traces = error.__traceback__
    while traces is not None and traces.tb_next is not None:
        traces = traces.tb_next
    if traces is None or isinstance(error, SyntaxError):
        return False
    code = traces.tb_frame.f_code
    return code.co_code[traces.tb_lasti] == _RAISE and not _is_foreign(code.co_filename)
