"""A run that dies at any statement is resumed by a fresh process, and every row is counted exactly once."""

from tests.faults.conftest import NewUrl
from tests.faults.crashes import finish_sweep, start_sweep
from tests.faults.mutants import CRASHING

SWEEPS = {
    "row form": ("count_by_row",),
    "SQL form with a late row and its sweeps": ("label_in_sql", "--rows", "4", "--batch", "10", "--from-batches"),
    "creation of the ledger": ("count_in_sql", "--rows", "4", "--fresh"),
}
FEWEST_POINTS = 15
"""A sweep with fewer points has not been where batches are."""


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
