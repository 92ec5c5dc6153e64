"""How many rows the next batch takes."""

from hypothesis import given
from hypothesis import strategies as st

from backfill.batch import BatchSize

SIZES = st.integers(1, 100_000)
SECONDS = st.floats(0.000_001, 10_000)
LESSONS = st.lists(SECONDS | st.just("halve"), max_size=40)


@given(SIZES, SIZES, st.floats(0.001, 60), LESSONS)
def test_a_batch_stays_within_its_bounds(start: int, most: int, aim: float, lessons: list[float | str]) -> None:
    """Whatever it learns, a batch has at least one row and never more than the most."""
    size = BatchSize(start, most, aim)
    for lesson in lessons:
        size.halve() if isinstance(lesson, str) else size.learn(size.rows, lesson)
        assert 1 <= size.rows <= most


@given(SIZES, st.floats(0.001, 60), SECONDS)
def test_one_batch_proves_little(start: int, aim: float, seconds: float) -> None:
    """It at most doubles, and shrinks to no less than a quarter."""
    size = BatchSize(start, 1_000_000, aim)
    size.learn(start, seconds)
    assert round(start / 4) <= size.rows <= start * 2


@given(SIZES, st.floats(0.001, 60), SECONDS)
def test_it_moves_towards_the_duration(start: int, aim: float, seconds: float) -> None:
    """A batch that was too slow is never followed by a greater one, nor a quick one by a smaller."""
    size = BatchSize(start, 1_000_000, aim)
    size.learn(start, seconds)
    assert size.rows <= start if seconds >= aim else size.rows >= start


@given(st.floats(0.000_01, 0.01))
def test_it_arrives_at_the_duration(per_row: float) -> None:
    """With a steady cost per row the batches come to last about as long as they should."""
    size = BatchSize(1_000, 10_000_000, 0.1)
    for _ in range(30):
        size.learn(size.rows, size.rows * per_row)
    assert abs(size.rows * per_row - 0.1) <= per_row


@given(SIZES, st.integers(0, 1_000), SECONDS)
def test_a_short_last_batch_teaches_nothing(start: int, missing: int, seconds: float) -> None:
    """Fewer rows than asked for say nothing about the rate."""
    size = BatchSize(start, 100_000, 0.1)
    size.learn(start - 1 - missing, seconds)
    assert size.rows == start


def test_a_clock_that_stood_still_teaches_nothing() -> None:
    """A duration of nothing, or less, is no measurement."""
    size = BatchSize(100, 10_000, 0.1)
    size.learn(100, 0.0)
    size.learn(100, -1.0)
    assert size.rows == 100


def test_halving_ends_at_one_row() -> None:
    """A single row is the least; then there is nothing left to halve."""
    size = BatchSize(5, 10, 0.1)
    assert [size.halve() and size.rows for _ in range(3)] == [2, 1, False]
    assert size.rows == 1


def test_the_first_batch_is_not_above_the_most() -> None:
    """A maximum below the start wins."""
    assert BatchSize(1_000, 10, 0.1).rows == 10


@given(SIZES, SIZES, st.floats(0.001, 60), st.lists(st.tuples(SECONDS, st.floats(0, 1)), max_size=40))
def test_the_window_is_bounded(start: int, most: int, aim: float, lessons: list[tuple[float, float]]) -> None:
    """However few rows are taken, no more than twenty times a batch is looked at, and never less than one."""
    size = BatchSize(start, most, aim)
    for seconds, share in lessons:
        size.learn(size.window, seconds, int(size.window * share))
        assert size.rows <= size.window <= BatchSize.WIDEST * size.rows
        assert 1 <= size.rows <= most


def test_the_window_follows_the_share_that_is_taken() -> None:
    """It is a batch's size where all rows are taken, and grows to twenty times that where one in a thousand is."""
    size = BatchSize(1_000, 1_000, 10)
    assert size.window == 1_000
    size.learn(1_000, 10, 250)
    assert size.window == 4_000
    size.learn(4_000, 10, 4)
    assert (size.rows, size.window) == (1_000, 20_000)
    size.learn(1_100, 10, 1_000)  # cut short by the many that were taken
    assert size.window == 1_100


def test_a_row_alone_is_tried_once_more() -> None:
    """Another worker's row may have been in its way; the one after it has a second try of its own."""
    size = BatchSize(2, 10, 0.1)
    assert [size.search() for _ in range(3)] == [True, True, False]
    size.end_search()
    size.halve()
    assert [size.search() for _ in range(2)] == [True, False]


def test_a_row_that_passes_alone_leaves_the_next_its_second_try() -> None:
    """Each row is tried again by itself."""
    size = BatchSize(1, 10, 0.1)
    assert size.search()
    size.learn(1, 0.1)
    assert [size.search() for _ in range(2)] == [True, False]
