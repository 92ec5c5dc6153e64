"""Shape: a data step that is plain enough to be written anew as a transform, with the reason where it is not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backfill.linting.operation import Operation
from backfill.linting.sql import UNKNOWN
from backfill.linting.statement import Computed, Condition, Constant, Value

_PLAIN = (str, int, float, bool, list, dict, type(None))


@dataclass(frozen=True)
class Fill:
    """An UPDATE of one table, whose values are constants or other columns of the row."""

    table: str
    values: Mapping[str, Value]
    where: Sequence[Condition]

    @property
    def name(self) -> str:
        """What its transform is called."""
        return transform_name("fill", self.table, next(iter(self.values)))

    @property
    def is_constant(self) -> bool:
        """Whether it can be said as JSON."""
        return all(isinstance(value, Constant) for value in self.values.values())


class NotPlain(Exception):
    """Why a revision cannot be split without its author."""


def transform_name(*words: str | None) -> str:
    """A name for a transform, made of what it is about."""
    known = (word for word in words if word and UNKNOWN not in word)
    return re.sub(r"\W+", "_", "_".join(known)).strip("_").lower()


def fill_of(write: Operation, new_columns: Mapping[str, set[str]]) -> Fill:
    """The UPDATE that a write is; `new_columns` are, by table, those that hold nothing yet.

    Raises:
        NotPlain: it is more than that.
    """
    statement = write.statement
    if write.verb != "UPDATE" or statement is None or write.is_orm:
        raise NotPlain(f"line {write.place.line} is no UPDATE that can be read")
    if not statement.table or UNKNOWN in statement.table or not statement.assigned or statement.is_limited:
        raise NotPlain(f"the UPDATE in line {write.place.line} cannot be read in full")
    if any(not _is_plain(value) for value in statement.assigned.values()):
        raise NotPlain(f"the UPDATE in line {write.place.line} sets more than constants and other columns")
    return Fill(statement.table, statement.assigned, _conditions(write, new_columns.get(statement.table, set())))


def _conditions(write: Operation, new: set[str]) -> Sequence[Condition]:
    assert write.statement is not None, "it was read"
    where = write.statement.where
    if where is not None and where.conditions is None:
        raise NotPlain(f"the WHERE in line {write.place.line} is more than conditions on single columns")
    if where is not None:
        return where.conditions or ()
    missing = [column for column in write.statement.assigned if column in new]
    return [Condition(missing[0], Constant(None))] if missing else []


def _is_plain(value: Value) -> bool:
    if isinstance(value, Computed):
        return False
    return not isinstance(value, Constant) or isinstance(value.value, _PLAIN)
