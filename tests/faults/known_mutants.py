"""Known mutants: every way to get the protocol wrong, and the tests that find it."""

from __future__ import annotations

from tests.faults.known import NO_SERVER, ONE_WRITER, Fault

MUTANTS = [
    Fault(
        1,
        "the checkpoint is committed before the rows",
        ["faults/test_crashes::test_a_checkpoint_in_another_transaction_is_found_out"],
    ),
    Fault(
        2,
        "the checkpoint, state or inserts are committed after the rows",
        [
            "faults/test_crashes::test_a_checkpoint_in_another_transaction_is_found_out",
            "faults/test_crashes::test_what_is_written_in_another_transaction_is_found_out",
            "faults/test_kills::test_random_kills_find_out_a_checkpoint_in_another_transaction",
        ],
    ),
    Fault(
        3,
        "the checkpoint is committed by another connection",
        ["faults/test_crashes::test_a_checkpoint_by_another_connection_is_found_out"],
        {"sqlite": "it would wait for ever"},
    ),
    Fault(
        4, "the guard asks for no epoch", ["faults/test_fencing::test_a_guard_without_epoch_is_found_out"], ONE_WRITER
    ),
    Fault(5, "the guard asks for no sequence", ["faults/test_fencing::test_a_weak_guard_is_found_out"], ONE_WRITER),
    Fault(
        6,
        "the guard is not heeded",
        [
            "faults/test_fencing::test_a_zombie_without_a_fence_is_found_out",
            "faults/test_zombies::test_a_real_zombie_without_a_fence_doubles_rows",
        ],
        ONE_WRITER,
    ),
    Fault(
        7,
        "whose slice it is, is asked only when a batch begins",
        ["faults/test_fencing::test_a_zombie_without_a_fence_is_found_out"],
        ONE_WRITER,
    ),
    Fault(
        8,
        "a batch is repeated from memory after the link was lost",
        ["faults/test_links::test_a_retry_from_memory_is_found_out"],
        NO_SERVER,
    ),
    Fault(
        9,
        "rows are read without a lock",
        ["faults/test_application::test_a_read_without_the_lock_is_found_out"],
        ONE_WRITER,
    ),
    Fault(
        10,
        "locked rows are skipped",
        ["faults/test_application::test_a_read_without_the_lock_is_found_out"],
        ONE_WRITER,
    ),
    Fault(11, "a short batch ends the walk", ["faults/test_mutants::test_a_walk_that_misses_or_repeats_rows"]),
    Fault(
        12,
        "a batch that writes nothing ends the walk",
        ["faults/test_mutants::test_a_walk_that_ends_when_nothing_is_written"],
    ),
    Fault(
        13,
        "keys are compared in Python",
        ["faults/test_mutants::test_keys_that_are_compared_in_python"],
    ),
    Fault(14, "the last key is taken again", ["faults/test_mutants::test_a_walk_that_misses_or_repeats_rows"]),
    Fault(15, "the walk starts at zero", ["faults/test_mutants::test_a_walk_that_misses_or_repeats_rows"]),
    Fault(
        16,
        "one is added to the key",
        ["faults/test_mutants::test_a_walk_that_adds_one_to_the_key"],
        {"sqlite": "goes on with a fraction"},
    ),
    Fault(
        17,
        "there is no sentinel, or a function's errors are not accounted for",
        [
            "faults/test_mutants::test_a_batch_without_its_sentinel",
            "faults/test_swallowed::test_an_account_that_is_not_kept_is_found_out",
        ],
    ),
    Fault(18, "leases go by a clock of one's own", ["faults/test_mutants::test_a_lease_by_a_clock_of_ones_own"]),
    Fault(
        19,
        "conditions are pasted without parentheses",
        ["faults/test_mutants::test_conditions_that_are_pasted_without_parentheses"],
    ),
    Fault(
        20,
        "images travel through Python",
        ["undo/test_values::test_images_that_travel_through_python_are_found_out"],
    ),
    Fault(
        21, "undo does not ask whether a row is still ours", ["faults/test_mutants::test_an_undo_of_what_is_not_ours"]
    ),
    Fault(
        22,
        "an error that nobody knows is repeated, or nobody looks whether a link still answers",
        [
            "faults/test_mutants::test_an_error_that_nobody_knows_is_not_repeated",
            "faults/test_watchdog::test_without_a_watchdog_the_run_hangs",
        ],
    ),
    Fault(
        23,
        "a conflict is swallowed",
        ["faults/test_mutants::test_a_conflict_that_is_swallowed"],
        {"sqlite": "one writer at a time", "postgresql": "nothing more is done in such a transaction"},
    ),
    Fault(
        24,
        "the checkpoint is forgotten when the ledger is read, or a piece is cut from the slice's start",
        [
            "faults/test_mutants::test_a_checkpoint_that_is_forgotten",
            "faults/test_crew::test_pieces_that_overlap_show",
        ],
    ),
]
