"""Telling: any exception as a sentence that holds no row's value and no password, whichever door it leaves by."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from backfill.blame import code_of, place_of
from backfill.errors import BackfillError, ChecksFailed, Refused
from backfill.fault import Faulted


def sentence_of(error: Exception) -> str:
    """What happened, and what to do now. Of an error that is not ours the message stays untold: it may hold a value."""
    notes = getattr(error, "__notes__", ()) if isinstance(error, BackfillError) else ()
    return ". ".join([_told(error), *notes])


def _told(error: Exception) -> str:
    if isinstance(error, Refused) and not isinstance(error, ChecksFailed):  # each finding has a code of its own
        return f"[{error.code}] {error}"
    if isinstance(error, BackfillError):
        return str(error)
    if isinstance(error, Faulted):
        return f"the database refused a statement: {error}"
    if isinstance(error, SQLAlchemyError):
        return f"SQLAlchemy refused a statement: {type(error).__name__} ({code_of(error)})"
    return f"unexpected: {place_of(error)}"
