"""Answers: what a function's return type says it may write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from backfill.declaration.changes import Change, Delete
from backfill.declaration.models import is_model, require_columns
from backfill.errors import DeclarationError


@dataclass(frozen=True)
class Outputs:
    """What may be returned for a row."""

    models: tuple[type[BaseModel], ...] = ()
    """Its new values."""
    changes: tuple[type, ...] = ()
    """Insert, Update, Delete."""

    @property
    def only_deletes(self) -> bool:
        """Whether nothing but Delete may be returned."""
        return self.changes == (Delete,) and not self.models


def outputs_from_rows(name: str, hint: Any, *, is_batch: bool) -> Outputs:
    """From a row, or from a list of them: one answer for each."""
    if is_batch:
        if not _is_sequence(hint):
            one = spell(hint)
            raise DeclarationError(
                f"{name} returns {one} for a list of rows: say list[{one}], one entry per row", code="returns-one"
            )
        (hint,) = get_args(hint)
    outputs = _outputs(name, hint)
    if outputs is None or (_is_sequence(hint) and not outputs.changes):
        raise DeclarationError(
            f"{name} returns {spell(hint)}; from one row it returns a model of the columns written, or None to leave "
            "the row: '-> SplitName | None'; or changes: '-> list[Change]'",
            code="returns-of-rows",
        )
    return outputs


def outputs_from_columns(name: str, hint: Any) -> Outputs:
    """From SQL columns: a model of constants, a mapping, or changes."""
    members = _spread(hint)
    models = tuple(member for member in members if is_model(member))
    changes = _changes(members)
    if len(models) + len(changes) + sum(map(_is_mapping, members)) != len(members) or not members:
        raise DeclarationError(
            f"{name} returns {spell(hint)}; from Rows it returns a model of constant values, "
            "or 'dict[str, Any]': column name to SQL expression; or changes: Delete, Insert, list[Change]",
            code="returns-of-columns",
        )
    return Outputs(_with_fields(name, models), changes)


def outputs_of_seed(name: str, hint: Any) -> Outputs:
    """Without rows: changes."""
    outputs = _outputs(name, hint)
    if outputs is None or outputs.models:
        raise DeclarationError(
            f"{name} returns {spell(hint)}; a seed returns changes: '-> list[Change]'", code="returns-of-seed"
        )
    return outputs


def _outputs(name: str, hint: Any) -> Outputs | None:
    members = [member for member in _spread(hint) if member is not NoneType]
    models = tuple(dict.fromkeys(member for member in members if is_model(member)))
    changes = _changes(members)
    if not members or not all(is_model(member) or _is_change(member) for member in members):
        return None
    return Outputs(_with_fields(name, models), changes)


def _with_fields(name: str, models: tuple[type[BaseModel], ...]) -> tuple[type[BaseModel], ...]:
    for model in models:
        if not model.model_fields:
            raise DeclarationError(
                f"{name}: {model.__name__} has no fields, so there is nothing to write", code="output-empty"
            )
        if model.model_config.get("extra") == "allow":
            raise DeclarationError(
                f"{name}: {model.__name__} allows extra fields; name every column that is written", code="output-extra"
            )
        require_columns(name, model)
    return models


def _changes(members: Sequence[Any]) -> tuple[type, ...]:
    return tuple(dict.fromkeys(get_origin(member) or member for member in members if _is_change(member)))


def _is_change(hint: Any) -> bool:
    kind = get_origin(hint) or hint
    return isinstance(kind, type) and issubclass(kind, Change)


def _is_mapping(hint: Any) -> bool:
    origin = get_origin(hint) or hint
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_sequence(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Sequence) and len(get_args(hint)) == 1


def _spread(hint: Any) -> list[Any]:
    """The types of which an answer, or each entry of a list that is the answer, is one."""
    nested = (_members(get_args(each)[0]) if _is_sequence(each) else (each,) for each in _members(hint))
    return [member for members in nested for member in members]


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def spell(hint: Any) -> str:
    """A type as its author wrote it."""
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
