"""Every exception a user can meet, drawn as a tree.

BackfillError
├── Refused                 bad input or a bad moment; nothing was written         exit 2
│   ├── DeclarationError    a definition contradicts itself
│   ├── TransformNotFound   no such file in the transforms package
│   ├── SettingsError       a setting has no meaning
│   ├── ChecksFailed        the live table does not fit the definition
│   ├── DefinitionChanged   the definition is not the one the run was started with
│   ├── LedgerTooNew        a newer version of backfill wrote the ledger
│   ├── Unreachable         the database cannot be connected to
│   ├── RunHeld             another process is working on this run
│   ├── IllegalMove         the run's status does not allow this
│   └── BackfillIncomplete  the gate: rows still wait
├── RunFailed               the run cannot go on as it is                          exit 1
│   ├── RowRejected         one row cannot be filled
│   ├── RowsWait            all rows are filled but those that were rejected
│   ├── WalkedAgain         a batch inserted rows that the walk would come to later
│   ├── GroupTooLarge       a group has more rows than are taken into memory at once
│   ├── ForeignCommit       somebody ended the batch's transaction inside it
│   └── DatabaseFailed      the database said no, and repeating will not help
└── Stopped                 work is left; the same command goes on                 exit 3
    ├── Paused              asked to stop: the last batch is whole
    ├── Fenced              another worker took the slice over, or it was cancelled
    ├── LinkLost            the connection is gone; the ledger knows how far we came
    └── Exhausted           the database stayed busy through every attempt
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from backfill.escaping import one_line

if TYPE_CHECKING:
    from backfill.finding import Finding


class Rejected(Exception):
    """Raise it in a transform: this row cannot be filled, and why. The reason is shown, so keep values out of it."""


class BackfillError(Exception):
    """Says what happened, to which object, and what to type next."""

    exit_code = 1
    code: str
    """Stays the same in every release, whatever the message says; docs/codes.md lists what each one means."""

    def __init_subclass__(cls) -> None:
        """Where a class means one thing, its name is its code."""
        cls.code = re.sub("(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        """Comes as it was from the process of a helper, whatever the class wants to be made of."""
        return _restored, (type(self), str(self), vars(self))


def _restored(kind: type[BackfillError], message: str, state: Mapping[str, Any]) -> BackfillError:
    error = kind.__new__(kind, message)
    vars(error).update(state)
    return error


class Refused(BackfillError):
    """Nothing was written: the input, or the moment, is wrong."""

    exit_code = 2


class DeclarationError(Refused):
    """A definition contradicts itself."""


class TransformNotFound(Refused):
    """The transforms package has no file of this name."""


class SettingsError(Refused):
    """A setting has no meaning."""


class ChecksFailed(Refused):
    """The live table does not fit the definition; `findings` says why, one by one."""

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = "\n".join(f"  [{finding.code}] {one_line(finding.message)}" for finding in findings)
        super().__init__(f"{name} cannot run, and nothing was written:\n{lines}", code=self.findings[0].code)


class DefinitionChanged(Refused):
    """The definition is not the one the run was started with."""


class LedgerTooNew(Refused):
    """A newer version of backfill wrote the ledger."""


class Unreachable(Refused):
    """The database cannot be connected to."""


class RunHeld(Refused):
    """Another process is working on this run."""


class IllegalMove(Refused):
    """The run's status does not allow this."""


class BackfillIncomplete(Refused):
    """The gate: rows still wait, so the schema must too."""


class RunFailed(BackfillError):
    """The run cannot go on as it is."""


class Reasons(dict[tuple[Any, ...], str]):
    """Why rows cannot be filled, by their keys; a key may be personal, so whoever shows an exception sees none."""

    def __repr__(self) -> str:
        """How many there are."""
        return f"<{len(self)} rows>"


class RowRejected(RunFailed):
    """One row cannot be filled, or several; `reasons` says why by the row's key, where that is known.

    `is_meant`: the author's own code raised Rejected for all of them, so that none is a mistake.
    """

    def __init__(
        self, message: str, reasons: Mapping[tuple[Any, ...], str] | None = None, *, is_meant: bool = False
    ) -> None:
        self.reasons = Reasons(reasons or {})
        self.is_meant = is_meant
        super().__init__(message)


class RowsWait(RunFailed):
    """All rows are filled but those that were rejected."""


class WalkedAgain(RunFailed):
    """A batch inserted rows that the walk would come to later."""


class GroupTooLarge(RunFailed):
    """A group has more rows than are taken into memory at once."""

    @classmethod
    def of(cls, table: str, columns: Sequence[str], rows: int, most: int) -> Self:
        """The one of a table, by these columns."""
        group = f"a group of {table} by {', '.join(columns)} has" if columns else f"{table}, all one group, has"
        return cls(
            f"{group} {rows:,} rows; at most {most:,} are taken into memory at once. Narrow it with where=, or let "
            "SQL see the group: take Rows"
        )


class ForeignCommit(RunFailed):
    """Somebody ended the batch's transaction inside it."""


class DatabaseFailed(RunFailed):
    """The database said no, and repeating will not help."""


class Stopped(BackfillError):
    """Work is left; the same command goes on with it, unless somebody else decided otherwise."""

    exit_code = 3

    def __init__(self, message: str, *, code: str | None = None, goes_on: bool = True) -> None:
        super().__init__(message, code=code)
        self.goes_on = goes_on


class Paused(Stopped):
    """Asked to stop: the last batch is whole."""


class Fenced(Stopped):
    """Another worker took the slice over, or the run was cancelled."""


class LinkLost(Stopped):
    """The connection is gone; the ledger knows how far we came."""


class Exhausted(Stopped):
    """The database stayed busy through every attempt."""
