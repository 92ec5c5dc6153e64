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
    from backfill.errors import BackfillError, Stopped  # noqa: PLC0415  # heavy: only once a command runs
    from backfill.telling import sentence_of  # noqa: PLC0415

    try:
        yield
    except Stopped as error:
        _leave(f"{sentence_of(error)}{'. To go on: the same command' if error.goes_on else ''}", error.exit_code)
    except BackfillError as error:
        _leave(sentence_of(error), error.exit_code)
    except KeyboardInterrupt:
        _leave("stopped by Ctrl-C. Nothing is half done: the same command goes on", 3)
    except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
        raise  # click has its own words and codes for them
    except Exception as error:
        _leave(sentence_of(error), 1)


def _leave(message: str, code: int) -> None:
    click.echo(f"Error: {phrased(message)}", err=True)
    sys.exit(code)
