"""Strategies: rows that a model takes, made by hypothesis; pydantic's own strategies ended with its first version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from annotated_types import GroupedMetadata
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from backfill.declaration.models import choices, columns_of_model, is_model
from backfill.testing.end import Row

Strategy = st.SearchStrategy[Any]
Rules = Mapping[str, Any]
"""What a field's value must keep to: `ge`, `max_length`, `pattern` and the like."""

_RULES = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "decimal_places")
_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_MOST_ITEMS = 3
_MOST_LETTERS = 20
_LARGEST = 2**31 - 1
"""What every database holds: no NUL in a text, and 32 bits."""


def rows_of(model: type[BaseModel]) -> st.SearchStrategy[Row]:
    """Rows, as column to value, that the model takes, whatever its fields allow.

    A type that hypothesis does not know is registered with `hypothesis.strategies.register_type_strategy`.
    """
    columns = columns_of_model(model)
    fields = {columns[name]: strategy_of_field(field) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(fields).filter(lambda row: _takes(model, row))


def strategy_of_field(field: FieldInfo) -> Strategy:
    """Values that a field takes."""
    kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    return _of(field.annotation, dict(_rules(field.metadata))).filter(lambda value: _takes(kind, value))


def _of(kind: Any, rules: Rules) -> Strategy:
    origin, members = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _of(members[0], {**rules, **dict(_rules(members[1:]))})
    if origin in (Union, UnionType):
        return st.one_of([_of(member, rules) for member in members])
    if chosen := choices(kind):
        return st.sampled_from(chosen)
    if is_model(kind):
        return rows_of(kind)
    if isinstance(origin, type):
        return _items(origin, [_of(member, {}) for member in members if member is not ...], rules)
    return _plain(kind, rules)


def _items(kind: type, items: Sequence[Strategy], rules: Rules) -> Strategy:
    """A list or an object of JSON."""
    least, most = _sizes(rules, _MOST_ITEMS)
    if issubclass(kind, Mapping):
        return st.dictionaries(*items, min_size=least, max_size=most)
    return st.lists(st.one_of(items), min_size=least, max_size=most)


def _plain(kind: Any, rules: Rules) -> Strategy:
    least, most = rules.get("ge", rules.get("gt")), rules.get("le", rules.get("lt"))
    if kind is str and "pattern" in rules:
        return st.from_regex(rules["pattern"], alphabet=_LETTERS)
    if kind is str or kind is Any:
        least, most = _sizes(rules, _MOST_LETTERS)
        return st.text(_LETTERS, min_size=least, max_size=most)
    if kind is int:
        return st.integers(-_LARGEST if least is None else least, _LARGEST if most is None else most)
    if kind is Decimal:
        return st.decimals(least or -_LARGEST, most or _LARGEST, places=rules.get("decimal_places", 2))
    if kind is float:
        return st.floats(-_LARGEST if least is None else least, _LARGEST if most is None else most)
    return st.from_type(kind)


def _sizes(rules: Rules, usual: int) -> tuple[int, int]:
    least = rules.get("min_length", 0)
    return least, min(rules.get("max_length", least + usual), least + usual)


def _rules(metadata: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for each in metadata:
        if isinstance(each, FieldInfo):
            yield from _rules(each.metadata)
        elif isinstance(each, GroupedMetadata):
            yield from _rules(each)
        else:
            yield from ((name, value) for name in _RULES if (value := getattr(each, name, None)) is not None)


def _takes(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True
