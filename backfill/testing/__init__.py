"""Testing: what a project's own tests ask of its transforms.

    from backfill.testing import laws, rehearse

    test_laws = laws("transforms")      every law of every transform, on rows made from its input model


    def test_splits() -> None:
        assert rehearse(split_full_name, [{"full_name": "Ada King"}]) == [
            {"id": 1, "full_name": "Ada King", "first_name": "Ada", "last_name": "King"}
        ]

`rehearse` runs a transform for real and proves the laws on the way; `LawBroken` says which one a transform breaks, and
at which row. `rows_of(Model)` is a hypothesis strategy of rows that a model takes.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backfill.testing.law import LawBroken
    from backfill.testing.rehearsal import rehearse
    from backfill.testing.strategies import rows_of
    from backfill.testing.suite import laws

__all__ = ["LawBroken", "laws", "rehearse", "rows_of"]

_HOMES = {
    "LawBroken": "backfill.testing.law",
    "laws": "backfill.testing.suite",
    "rehearse": "backfill.testing.rehearsal",
    "rows_of": "backfill.testing.strategies",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: pytest loads the plugin in every project that has it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'backfill.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
