"""Gathering: what a function answered for each row, put together into as few writes as keep each row's own order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from backfill.declaration.changes import Delete, Insert, Update
from backfill.declaration.form import Walked
from backfill.declaration.models import columns_of_model, values_of_model
from backfill.declaration.writes import Recordset, Shape, Verb, Write
from backfill.errors import Rejected
from backfill.key import Key


class Gathering:
    """The writes of one batch, as they grow.

    Within a row's answer the order is kept. Among the rows, equal shapes share a write as far as that order allows;
    an Insert that stands for its key is written before whoever needs the key.
    """

    def __init__(self, walked: Walked | None, models: tuple[type[BaseModel], ...] = ()) -> None:
        self._walked = walked
        self._drafts: list[_Draft] = []
        self._first: dict[Shape, int] = {}
        self._own = {model: self._own_shape(model) for model in models}
        self._plain: dict[type, tuple[Callable[[tuple[Key, Any]], None], Callable[[Any], Any]]] = {}
        """How a row is put down whose whole answer is a model without links, and its values: so are nearly all rows."""
        self._linking = {model for model in models if may_link(model)}
        self._placed: dict[int, int] = {}
        self._wanted = " or ".join(model.__name__ for model in models) or "None"
        self.skipped = 0

    def add(self, key: Key, answer: Any) -> None:
        """Take note of one row's answer."""
        if plain := self._plain.get(type(answer)):
            put, values_of = plain
            put((key, values_of(answer)))
            return
        if answer is None or answer == []:
            self.skipped += 1
            return
        place = 0
        for change in answer if isinstance(answer, list | tuple) else (answer,):
            place = self._add_one(key, change, place)

    def writes(self) -> list[Write]:
        """What has been gathered."""
        return [draft.write(self._walked) for draft in self._drafts]

    def _add_one(self, key: Key, change: Any, place: int) -> int:
        if type(change) in self._own:
            shape, values_of = self._own[type(change)]
            place = self._put(place, shape, key, values_of(change))
            if type(change) not in self._linking and place == self._first[shape]:
                self._plain[type(change)] = (self._drafts[place].rows.append, values_of)
            return place
        if isinstance(change, Insert):
            return self._insert(place, change)
        if isinstance(change, Update):
            columns, values, model = row_of(change.values, f'Update("{change.table}")')
            return self._put_matching(place, Verb.UPDATE, change, columns, values, model)
        if isinstance(change, Delete) and change.table is not None:
            return self._put_matching(place, Verb.DELETE, change)
        if isinstance(change, Delete) and self._walked is not None:
            shape = Shape(Verb.DELETE, self._walked.name, self._walked.key, is_own=True)
            return self._put(place, shape, key, ())
        raise Rejected(f"the function returned {type(change).__name__}; it is declared to return {self._wanted}")

    def _insert(self, place: int, change: Insert[Any], *, linked: bool = False) -> int:
        columns, values, model = row_of(change.values, f'Insert("{change.table}")')
        given = dict(zip(columns, values, strict=True))
        if missing := [name for name in (*change.match, *change.update) if name not in given]:
            raise Rejected(f'Insert("{change.table}") matches or updates {missing[0]}, which is none of its columns')
        absent = tuple(name for name in change.match if given[name] is None)
        match = tuple(name for name in change.match if name not in absent)
        shape = Shape(Verb.INSERT, change.table, match, absent, columns, change.update, model=model)
        link = change if linked else None
        return self._put(place, shape, tuple(given[name] for name in match), values, link=link)

    def _put_matching(
        self,
        place: int,
        verb: Verb,
        change: Update | Delete,
        columns: tuple[str, ...] = (),
        values: tuple[Any, ...] = (),
        model: type[BaseModel] | None = None,
    ) -> int:
        match = {name: value for name, value in change.match.items() if value is not None}
        absent = tuple(name for name in change.match if name not in match)
        shape = Shape(verb, str(change.table), tuple(match), absent, columns, model=model)
        return self._put(place, shape, tuple(match.values()), values)

    def _put(
        self, place: int, shape: Shape, match: Key, values: tuple[Any, ...], *, link: Insert[Any] | None = None
    ) -> int:
        """Add a row to the first write of its shape that is not before `place`; gives where that is."""
        for value in values:
            if isinstance(value, Insert):
                place = max(place, self._link(value, place) + 1)
        first = self._first.get(shape)
        if first is None or first < place:
            first = next((n for n in range(place, len(self._drafts)) if self._drafts[n].shape == shape), None)
        if first is None:
            first = len(self._drafts)
            self._drafts.append(_Draft(shape))
            self._first.setdefault(shape, first)
        self._drafts[first].add(match, values, link)
        return first

    def _link(self, parent: Insert[Any], place: int) -> int:
        """Where the row is inserted whose key is wanted."""
        if id(parent) not in self._placed:
            self._placed[id(parent)] = self._insert(place, parent, linked=True)
        return self._placed[id(parent)]

    def _own_shape(self, model: type[BaseModel]) -> tuple[Shape, Callable[[BaseModel], tuple[Any, ...]]]:
        assert self._walked is not None, "only a walked row has values of its own"
        columns = tuple(columns_of_model(model).values())
        shape = Shape(Verb.UPDATE, self._walked.name, self._walked.key, (), columns, is_own=True, model=model)
        return shape, values_of_model(model)


class _Draft:
    """A write that still grows."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.rows: list[tuple[Key, tuple[Any, ...]]] = []
        self._links: list[Insert[Any] | None] = []

    def add(self, match: Key, values: tuple[Any, ...], link: Insert[Any] | None = None) -> None:
        """One more row; a second answer for the same row takes the place of the first."""
        if self.shape.is_own and self.rows and self.rows[-1][0] == match:
            self.rows[-1] = (match, values)
            return
        self.rows.append((match, values))
        if link is not None or self._links:
            self._links.extend([None] * (len(self.rows) - 1 - len(self._links)))
            self._links.append(link)

    def write(self, walked: Walked | None) -> Write:
        """The finished write."""
        is_sorted = self.shape.is_own and walked is not None and walked.is_by_key
        return Write(self.shape, Recordset(self.rows, is_sorted, self._links))


@cache
def may_link(model: type[BaseModel]) -> bool:
    """Whether a field of the model may hold an Insert, which stands for its key."""
    return any(_names_insert(field.annotation) for field in model.model_fields.values())


def _names_insert(annotation: Any) -> bool:
    return get_origin(annotation) is Insert or annotation is Insert or any(map(_names_insert, get_args(annotation)))


def row_of(values: Any, what: str) -> tuple[tuple[str, ...], tuple[Any, ...], type[BaseModel] | None]:
    """Columns, values and model of a change; `what` it is, for the message when it is none of these."""
    if isinstance(values, BaseModel):
        model = type(values)
        return tuple(columns_of_model(model).values()), values_of_model(model)(values), model
    if isinstance(values, Mapping):
        return tuple(values), tuple(values.values()), None
    raise Rejected(f"{what} was given {type(values).__name__}; it takes a model, or column to value")
