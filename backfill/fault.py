"""Fault: what kind of failure the database reported, and so what may be done about it."""

from __future__ import annotations

from enum import StrEnum

from backfill.escaping import excerpt


class Fault(StrEnum):
    """What kind of failure it is. Decided by the database's own code, never by the wording or the driver's class."""

    CONFLICT = "conflict"
    """Somebody else was there first: roll back and take the batch again."""

    TOO_SLOW = "too slow"
    """A time limit ended it: take half the batch."""

    LINK = "link lost"
    """The outcome is unknown: connect again and go on from what the ledger says."""

    UNWRITABLE = "not writable"
    """Read-only, full or out of memory: pause, since people must mend it."""

    ROW = "row"
    """A row's value does not fit: the row's fault, not the run's."""

    SCHEMA = "schema changed"
    """A table or column is not there any more."""

    UNKNOWN = "unknown"
    """Anything else, rights and syntax included: stop; what is not understood is never repeated."""


class Faulted(Exception):
    """A database error without its text, which may hold row values: its kind, the database's code and what it names."""

    def __init__(self, fault: Fault, code: str, named: str = "") -> None:
        self.fault = fault
        self.code = f"{code}, {excerpt(named)}" if named else code
        super().__init__(self.code if fault is Fault.UNKNOWN else f"{fault} ({self.code})")
