"""Deaths: a process that dies at a statement, as its connection sees it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from hypothesis import strategies as st

from tests.faults.statements import BEGINNINGS, listening

MOMENTS = ("statement", "before COMMIT", "behind COMMIT")


class Died(BaseException):
    """Nothing is sent any more."""


@dataclass(frozen=True)
class Death:
    """Before the n-th statement from the first transaction on, or before or behind the n-th COMMIT."""

    moment: str
    nth: int


deaths = st.lists(
    st.one_of(
        st.builds(Death, st.just(MOMENTS[0]), st.integers(1, 120)),
        st.builds(Death, st.sampled_from(MOMENTS[1:]), st.integers(1, 12)),
    ),
    max_size=3,
)
"""Of so many processes, one after the other."""


@contextmanager
def dying(engine: sa.Engine, death: Death) -> Iterator[None]:
    """Let the engine die: from the moment on nothing is sent, no ROLLBACK either. It may come to its end before."""
    counts = dict.fromkeys(MOMENTS, 0)
    was_commit = is_dead = False

    def hear(text: str) -> None:
        nonlocal was_commit, is_dead
        counts["statement"] += bool(counts["statement"]) or text.startswith(BEGINNINGS)
        counts["before COMMIT"] += text == "COMMIT"
        counts["behind COMMIT"] += was_commit
        was_commit = text == "COMMIT"
        is_dead = is_dead or counts[death.moment] >= death.nth
        if is_dead:
            raise Died

    try:
        with listening(engine, hear):
            yield
    except BaseException:
        if not is_dead:  # what the dead say counts for nothing
            raise
