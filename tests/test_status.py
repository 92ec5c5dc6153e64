"""Where a run can be, and the moves it may make."""

import itertools

import pytest

from backfill.errors import IllegalMove
from backfill.status import ACTIVE, MOVES, Status, require_move

LEGAL = {
    "pending": {"running", "cancelled", "undone"},
    "running": {"running", "paused", "failed", "completed", "cancelled", "undoing", "undone"},
    "paused": {"running", "paused", "cancelled", "undoing", "undone"},
    "failed": {"running", "cancelled", "undoing", "undone"},
    "completed": {"undoing", "undone"},
    "cancelled": {"undoing", "undone"},
    "undoing": {"undoing", "undone"},
    "undone": {"undoing"},
}
"""As the documentation has it, written down a second time: a move is not added by accident."""

PAIRS = [(Status(a), Status(b)) for a, b in itertools.product(LEGAL, LEGAL)]


@pytest.mark.parametrize(("current", "wanted"), [(a, b) for a, b in PAIRS if b in LEGAL[a]])
def test_a_legal_move_passes(current: Status, wanted: Status) -> None:
    """What the documentation allows, the code allows."""
    require_move("fill", current, wanted)


@pytest.mark.parametrize(("current", "wanted"), [(a, b) for a, b in PAIRS if b not in LEGAL[a]])
def test_an_illegal_move_is_refused(current: Status, wanted: Status) -> None:
    """Every other move is refused, with both statuses and where to look."""
    with pytest.raises(IllegalMove) as refused:
        require_move("fill", current, wanted)
    assert str(refused.value) == (f"fill is {current} and cannot become {wanted}. See it with: backfill status fill")


def test_every_status_is_known() -> None:
    """There is no status without its moves."""
    assert set(MOVES) == set(Status) == set(map(Status, LEGAL))


def test_an_active_run_can_still_be_completed() -> None:
    """The active statuses are those from which `running`, and so `completed`, can be reached."""
    assert {status for status in Status if "running" in LEGAL[status]} == ACTIVE
