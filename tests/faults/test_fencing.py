"""A worker that was overtaken can commit nothing, whatever it was doing when it was stopped.

The run stands still before each statement of its second batch in turn while a rival acts, and then goes on.
"""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backfill.errors import Fenced, Paused
from backfill.status import Status
from tests.faults import mutants, rivals
from tests.faults.interleaving import BATCH, FORMS, ROWS, Meeting, Rival, Stage
from tests.faults.statements import batches
from tests.faults.workloads import count_by_row, counts, outcome

by_each_form = pytest.mark.parametrize("transform", FORMS, ids=lambda form: form.name)


def meet_in_second_batch(stage: Stage, rival: Rival) -> list[Meeting]:
    """Let the rival act before every statement of the second batch, each time from the beginning."""
    return [stage.meet(position, rival) for position in batches(stage.script)[1]]


def meet_until_doubled(stage: Stage, rival: Rival) -> bool:
    """Let the rival act before every statement of the first batch, until rows are doubled."""
    return any(max(stage.meet(position, rival).at_the_end.values()) > 1 for position in batches(stage.script)[0])


def has_one_writer(stage: Stage) -> bool:
    """Whether a batch keeps every rival out, so that it can be overtaken only before and after."""
    return stage.engine.dialect.name == "sqlite"


def skip_without_overtaking(stage: Stage) -> None:
    """Skip where nobody can overtake a worker inside its batch, guard or no guard."""
    if has_one_writer(stage):
        pytest.skip("a batch holds the only write lock")


@by_each_form
def test_an_overtaken_worker_doubles_nothing(pooled: sa.Engine, transform: Any) -> None:
    """Another process takes the run over and works on; the first wakes up in the middle of its batch."""
    stage = Stage(pooled, transform)
    fenced = 0
    for position in batches(stage.script)[1]:
        meeting = stage.meet(position, rivals.taker(transform))
        fenced += isinstance(meeting.error, Fenced)
        stage.resume()
        assert set(counts(pooled).values()) == {1}, meeting
        assert outcome(pooled, transform.name) == (Status.COMPLETED, ROWS), meeting
    assert fenced >= (1 if has_one_writer(stage) else 5)


@by_each_form
def test_a_worker_without_its_lease_commits_nothing(pooled: sa.Engine, transform: Any) -> None:
    """Another process takes the slice over and has not begun: the batch in flight is rolled back."""
    stage = Stage(pooled, transform)
    found = [meeting for meeting in meet_in_second_batch(stage, rivals.thief) if meeting.has_acted]
    in_time = [meeting for meeting in found if sum(meeting.at_once.values()) == BATCH]
    assert len(in_time) >= (1 if has_one_writer(stage) else 5)
    for meeting in in_time:
        assert meeting.at_the_end == meeting.at_once, meeting
        assert isinstance(meeting.error, Fenced), meeting


@by_each_form
def test_a_late_commit_of_ones_own_is_not_repeated(pooled: sa.Engine, transform: Any) -> None:
    """A COMMIT whose answer got lost arrives after the worker has read the ledger again, under the same epoch."""
    stage = Stage(pooled, transform)
    found = meet_in_second_batch(stage, rivals.twin(transform))
    assert all(set(meeting.at_the_end.values()) == {1} for meeting in found), found
    assert has_one_writer(stage) or any(isinstance(meeting.error, Fenced) for meeting in found)


@by_each_form
def test_after_cancel_returns_no_batch_commits(pooled: sa.Engine, transform: Any) -> None:
    """Cancelling fences the batch in flight, at every one of its statements."""
    stage = Stage(pooled, transform)
    found = [m for m in meet_in_second_batch(stage, rivals.canceller(transform.name)) if m.has_acted]
    assert len(found) >= (2 if has_one_writer(stage) else 7)
    for meeting in found:
        assert meeting.at_the_end == meeting.at_once, meeting
        assert isinstance(meeting.error, Fenced), meeting


@by_each_form
def test_a_paused_run_finishes_its_batch(pooled: sa.Engine, transform: Any) -> None:
    """Pausing lets the batch in flight commit whole, and the next run call goes on behind it."""
    stage = Stage(pooled, transform)
    finished = 0
    for position in batches(stage.script)[0]:
        meeting = stage.meet(position, rivals.pauser(transform.name))
        if not meeting.has_acted:
            assert has_one_writer(stage)
            continue
        assert isinstance(meeting.error, Paused), meeting
        assert sum(meeting.at_the_end.values()) in (0, BATCH), meeting
        assert outcome(pooled, transform.name)[0] == Status.PAUSED
        finished += sum(meeting.at_the_end.values()) > sum(meeting.at_once.values())
        stage.resume()
        assert set(counts(pooled).values()) == {1}, meeting
    assert finished >= (0 if has_one_writer(stage) else 5)


@pytest.mark.parametrize("name", ["no-seq", "no-guard", "rowcount-ignored"])
def test_a_weak_guard_is_found_out(pooled: sa.Engine, name: str) -> None:
    """The interleavings are able to fail: without its guard, the late worker doubles rows."""
    stage = Stage(pooled, count_by_row)
    skip_without_overtaking(stage)
    with mutants.planted(name):
        assert meet_until_doubled(stage, rivals.twin(count_by_row))


def test_a_guard_without_epoch_is_found_out(pooled: sa.Engine) -> None:
    """Without the epoch, a worker commits although another has taken its slice over."""
    stage = Stage(pooled, count_by_row)
    skip_without_overtaking(stage)
    with mutants.planted("no-epoch"):
        found = [meeting for meeting in meet_in_second_batch(stage, rivals.thief) if meeting.has_acted]
    assert any(meeting.at_the_end != meeting.at_once for meeting in found)


@pytest.mark.parametrize("name", ["no-guard", "rowcount-ignored"])
def test_a_zombie_without_a_fence_is_found_out(pooled: sa.Engine, name: str) -> None:
    """Without a guard, the worker that was taken over doubles the rows that its successor has done."""
    stage = Stage(pooled, count_by_row)
    skip_without_overtaking(stage)
    with mutants.planted(name):
        assert meet_until_doubled(stage, rivals.taker(count_by_row))
