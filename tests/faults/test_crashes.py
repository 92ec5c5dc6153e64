"""A run that dies at any statement is resumed by a fresh process, and every row is counted exactly once."""

import sqlalchemy as sa

from tests.faults.conftest import NewUrl
from tests.faults.crashes import finish_sweep, finish_sweeps, start_sweep
from tests.faults.kinds import KINDS
from tests.faults.mutants import CRASHING, SHOWN_BY

SWEEPS = {
    "row form": ("count_by_row",),
    "SQL form with a late row and its sweeps": ("label_in_sql", "--rows", "4", "--batch", "10", "--within", "batches"),
    "creation of the ledger": ("count_in_sql", "--rows", "4", "--fresh"),
}
FEWEST_POINTS = 15
"""A sweep with fewer points has not been where batches are."""


FEWEST_POINTS_OF_A_BATCH = 4
"""Before a write, the checkpoint and COMMIT, and behind it; where a savepoint is the sentinel, before both its ends."""

TWO_BATCHES = ("--rows", "4", "--batch", "2", "--within", "batch")
ON_SQLITE_ALONE = ("note_twice", "upsert_in_sql", "three_notes", "count_by_step", "note_in_step")
"""Kinds of which every moment is one of another kind too; the command sweeps them everywhere."""


def test_a_crash_at_any_statement_loses_and_doubles_nothing(new_url: NewUrl) -> None:
    """Die before each statement and COMMIT, and behind the last; resume; count."""
    processes = {name: start_sweep(new_url(), *options) for name, options in SWEEPS.items()}
    found = {name: finish_sweep(process) for name, process in processes.items()}
    assert all(sweep.is_clean for sweep in found.values()), found
    assert all(sweep.points >= FEWEST_POINTS for sweep in found.values()), found


def test_a_checkpoint_in_another_transaction_is_found_out(new_url: NewUrl) -> None:
    """The sweep is able to fail: before the data the checkpoint loses rows, after the data it doubles them."""
    processes = {name: start_sweep(new_url(), "count_by_row", "--rows", "4", "--mutant", name) for name in CRASHING}
    found = {name: finish_sweep(process) for name, process in processes.items()}
    assert found["checkpoint-before-data"].lost, found
    assert found["checkpoint-after-data"].doubled, found


def test_a_checkpoint_by_another_connection_is_found_out(server_url: sa.URL) -> None:
    """Between its COMMIT and that of the rows a crash loses these; on SQLite it waits for ever."""
    found = finish_sweep(start_sweep(server_url, "count_by_row", "--rows", "4", "--mutant", "checkpoint-elsewhere"))
    assert found.lost, found


def test_a_crash_within_a_batch_of_any_kind_loses_and_doubles_nothing(new_url: NewUrl) -> None:
    """Inserts, upserts, deletes, groups, carried state, linked keys, several tables, a seed and a step."""
    urls = new_url(), new_url()
    everywhere = urls[0].get_backend_name() == "sqlite"
    kinds = [kind.transform.name for kind in KINDS if everywhere or kind.transform.name not in ON_SQLITE_ALONE]
    halves = zip(urls, (kinds[::2], kinds[1::2]), strict=True)
    processes = [start_sweep(url, *half, *TWO_BATCHES) for url, half in halves]
    found = {name: sweep for process in processes for name, sweep in finish_sweeps(process).items()}
    assert sorted(found) == sorted(kinds)
    assert all(sweep.is_clean for sweep in found.values()), found
    assert all(sweep.points >= FEWEST_POINTS_OF_A_BATCH for sweep in found.values()), found


def test_what_is_written_in_another_transaction_is_found_out(new_url: NewUrl) -> None:
    """State that is kept, or rows that are inserted, only after the batch has been committed."""
    processes = [start_sweep(new_url(), name, "--mutant", mutant, *TWO_BATCHES) for mutant, name in SHOWN_BY.items()]
    found = dict(zip(SHOWN_BY, map(finish_sweep, processes), strict=True))
    assert all(sweep.lost for sweep in found.values()), found
