"""Suite: one test for every law of every transform."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Engine

from backfill.catalog import Catalog
from backfill.declaration.decorator import Transform
from backfill.errors import BackfillError, Refused
from backfill.testing.contents import Contents
from backfill.testing.end import Row
from backfill.testing.law import Law, LawBroken
from backfill.testing.proofs import LAWS
from backfill.testing.rehearsal import by_table, staged
from backfill.testing.stage import Stage

Rehearsal: TypeAlias = Callable[[Contents], AbstractContextManager[Stage]]

EXAMPLES = 5
"""Sets of rows made for each law of a transform."""


def laws(
    transforms: str | Iterable[Transform[..., Any]],
    *,
    rows: Mapping[str, Sequence[Row] | Contents] | None = None,
    fresh: Collection[str] = (),
    accept: Collection[str] = (),
    leave_out: Collection[str] = (),
) -> Callable[..., None]:
    """Make a test of every law of every transform, to be named so that pytest finds it.

        test_laws = laws("transforms")

    Args:
        transforms: a package with one file per transform, or the transforms themselves.
        rows: rows for a transform, by its name, as `rehearse` takes them. For the others hypothesis makes some, which
            their input model and condition take.
        fresh: columns that are new each time, such as a random token.
        accept: codes of preflight findings that are meant.
        leave_out: names of transforms that are not tested.

    Returns:
        A test for pytest. It asks for the fixture `backfill_engine`; override that to have the laws proved on a schema
        of yours instead of throw-away tables.
    """
    known = _by_name(transforms)

    @pytest.mark.parametrize("law", [pytest.param(law, id=law.name.replace(" ", "-")) for law in LAWS])
    @pytest.mark.parametrize("name", [name for name in known if name not in leave_out])
    def test(name: str, law: Law, backfill_engine: Engine | None) -> None:
        with _failing_plainly():
            transform = known[name]()
            rehearsal = partial(staged, transform, engine=backfill_engine, fresh=fresh, accept=accept)
            exempt = _prove(law, transform, (rows or {}).get(name), rehearsal)
        if exempt:
            pytest.skip(exempt)

    return test


def _prove(
    law: Law, transform: Transform[..., Any], rows: Sequence[Row] | Contents | None, rehearsal: Rehearsal
) -> str | None:
    """Prove the law of the transform; gives why it says nothing of it, or of these rows."""
    if rows is None:
        return _prove_on_made_rows(law, transform, rehearsal)
    with rehearsal(by_table(transform, rows)) as stage:
        return law.require(stage)


def _by_name(transforms: str | Iterable[Transform[..., Any]]) -> dict[str, Callable[[], Transform[..., Any]]]:
    if isinstance(transforms, str):
        catalog = Catalog(transforms)
        return {name: partial(catalog.find, name) for name in catalog.names()}
    return {each.name: partial(_itself, each) for each in transforms}


def _itself(transform: Transform[..., Any]) -> Transform[..., Any]:
    return transform


@contextmanager
def _failing_plainly() -> Iterator[None]:
    """Tell what is wrong with the transform, and the rows that show it, without a traceback through our own code."""
    __tracebackhide__ = True
    try:
        yield
    except (LawBroken, BackfillError) as error:
        pytest.fail("\n".join([str(error), *getattr(error, "__notes__", ())]), pytrace=False)


def _prove_on_made_rows(law: Law, transform: Transform[..., Any], rehearsal: Rehearsal) -> str | None:
    """Prove the law on several sets of rows; gives why it says nothing of any of them."""
    if find_spec("hypothesis") is None:
        raise Refused(
            f"no rows are given for {transform.name}, and hypothesis, which makes some, is not installed: "
            f"pip install 'backfill[testing]', or laws(..., rows={{\"{transform.name}\": [...]}})",
            code="laws-no-rows",
        )
    from backfill.testing.generation import prove_on_made_rows  # noqa: PLC0415  # hypothesis is an extra

    proved: list[str | None] = []
    is_taken: list[bool] = []

    def prove(rows: Contents) -> None:
        with rehearsal(rows) as stage:
            proved.append(law.require(stage))
            is_taken.append(stage.undisturbed != stage.start)

    prove_on_made_rows(transform, EXAMPLES, prove)
    if not any(is_taken):
        raise Refused(
            f"{transform.name} changed nothing in any of the rows that were made for it: give rows that its where= "
            f'takes, laws(..., rows={{"{transform.name}": [...]}})',
            code="laws-nothing-changed",
        )
    return None if None in proved else next(iter(proved))
