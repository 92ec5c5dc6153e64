"""Exits: every error a command meets becomes one clear sentence on stderr and an exit code.

0  completed     1  failed     2  refused or bad input, nothing was written     3  stopped with work left
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from backfill.phrase import phrased


@contextmanager
def exit_codes() -> Iterator[None]:
    """Leave the command with the exit code of the error, and without a traceback."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # heavy: only once a command runs

    from backfill.blame import code_of, place_of  # noqa: PLC0415
    from backfill.errors import BackfillError, Stopped  # noqa: PLC0415
    from backfill.fault import Faulted  # noqa: PLC0415

    try:
        yield
    except Stopped as error:
        _leave(f"{error}. To go on: the same command", error.exit_code)
    except BackfillError as error:
        _leave(str(error), error.exit_code)
    except Faulted as error:
        _leave(f"the database refused a statement: {error}", 1)
    except SQLAlchemyError as error:
        _leave(f"SQLAlchemy refused a statement: {type(error).__name__} ({code_of(error)})", 1)
    except KeyboardInterrupt:
        _leave("stopped by Ctrl-C. Nothing is half done: the same command goes on", 3)
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise  # click has its own words and codes for them
    except Exception as error:
        _leave(f"unexpected: {place_of(error)}", 1)


def _leave(message: str, code: int) -> None:
    click.echo(f"Error: {safe_text(phrased(message))}", err=True)
    sys.exit(code)


def safe_text(text: str) -> str:
    """The text without anything that a terminal or a log would take for a command."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)
