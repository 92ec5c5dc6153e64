"""Exits: every error a command meets becomes one clear sentence on stderr and an exit code.

0  completed     1  failed     2  refused or bad input, nothing was written     3  stopped with work left
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import click


@contextmanager
def exit_codes() -> Iterator[None]:
    """Leave the command with the exit code of the error, and without a traceback."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # heavy: only once a command runs

    from backfill.errors import BackfillError  # noqa: PLC0415
    from backfill.fault import Faulted  # noqa: PLC0415

    try:
        yield
    except BackfillError as error:
        _leave(str(error), error.exit_code)
    except Faulted as error:
        _leave(f"the database refused a statement: {error}", 1)
    except SQLAlchemyError as error:
        _leave(f"SQLAlchemy refused a statement: {type(error).__name__}{_code(error)}", 1)
    except (SyntaxError, ImportError) as error:
        _leave(f"the project's code cannot be imported: {_where(error)}", 2)


def _leave(message: str, code: int) -> None:
    click.echo(f"Error: {safe_text(message)}", err=True)
    sys.exit(code)


def safe_text(text: str) -> str:
    """The text without anything that a terminal or a log would take for a command."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)


def _code(error: object) -> str:
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlstate", None) or getattr(original, "sqlite_errorname", None)
    return f" ({code})" if code else ""


def _where(error: SyntaxError | ImportError) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    return f"{frames[-1].filename}, line {frames[-1].lineno}: {error}" if frames else str(error)
