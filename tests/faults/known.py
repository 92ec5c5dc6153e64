"""Known: every fault that may befall a run, every way to get the protocol wrong, and the tests that show each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

NO_SERVER = {"sqlite": "a file has no link"}
ONE_WRITER = {"sqlite": "one writer at a time"}


@dataclass(frozen=True)
class Fault:
    """One thing that may happen, or one thing that the protocol may do wrong."""

    name: str
    tests: Sequence[str] = ()
    """FILE::FUNCTION, below tests/."""
    without: dict[str, str] = field(default_factory=dict)
    """Databases on which it cannot happen, and why."""
    remark: str = ""

    @property
    def nodes(self) -> list[str]:
        """As pytest wants them."""
        return [f"tests/{test}.py::{function}" for test, function in (name.split("::") for name in self.tests)]


FAULTS = [
    Fault(
        "SIGKILL before and after every statement",
        [
            "faults/test_crashes::test_a_crash_at_any_statement_loses_and_doubles_nothing",
            "faults/test_crashes::test_a_crash_within_a_batch_of_any_kind_loses_and_doubles_nothing",
        ],
    ),
    Fault("SIGKILL at a random time", ["faults/test_kills::test_random_kills_lose_and_double_nothing"]),
    Fault(
        "SIGKILL while several workers are at it",
        [
            "faults/test_crew::test_random_kills_of_several_threads",
            "faults/test_crew::test_a_killed_helper_is_replaced",
            "faults/test_crew::test_helpers_do_not_outlive_their_leader",
        ],
        ONE_WRITER,
    ),
    Fault(
        "a worker that stands still at any statement, is replaced, and wakes up",
        [
            "faults/test_fencing::test_an_overtaken_worker_doubles_nothing",
            "faults/test_fencing::test_a_worker_without_its_lease_commits_nothing",
            "faults/test_zombies::test_a_real_zombie_does_no_harm",
            "faults/test_crew::test_a_frozen_helper_is_killed",
        ],
    ),
    Fault(
        "the link is cut before COMMIT arrives, or before its answer does",
        ["faults/test_links::test_a_wire_cut_around_a_commit_doubles_nothing"],
        NO_SERVER,
    ),
    Fault(
        "the session is ended on the server",
        [
            "faults/test_links::test_a_killed_session_is_resumed_exactly",
            "test_reconnection::test_a_killed_session_costs_no_row",
        ],
        NO_SERVER,
    ),
    Fault("COMMIT waits for a synchronous replica, and is killed or cancelled there", remark="needs a replica"),
    Fault(
        "a dead worker's session still holds row locks",
        ["faults/test_application::test_a_lock_that_stays_pauses_the_run"],
        ONE_WRITER,
    ),
    Fault(
        "a link that swallows everything",
        [
            "faults/test_watchdog::test_a_dead_link_is_hung_up_and_the_run_goes_on",
            "faults/test_watchdog::test_a_function_that_computes_for_long_is_no_dead_link",
        ],
        NO_SERVER,
    ),
    Fault(
        "a function that catches the error of a statement, and goes on",
        [
            "faults/test_swallowed::test_what_failed_and_was_caught_takes_the_batch_back",
            "faults/test_swallowed::test_a_deadlock_that_was_caught_is_taken_again",
        ],
    ),
    Fault(
        "the server is killed within a batch",
        ["faults/test_crashing_server::test_a_killed_server_loses_and_doubles_nothing"],
        {"sqlite": "the run is the server"},
    ),
    Fault(
        "failover to a replica that lost commits, or two primaries",
        remark="needs a replica; rows and checkpoint are lost together",
    ),
    Fault(
        "the disk is full, or the database is read-only",
        ["faults/test_surroundings::test_a_database_that_cannot_be_written_pauses_the_run"],
        remark="a full disk by its code, in tests/quiet",
    ),
    Fault("a deadlock with the application", ["faults/test_application::test_a_deadlock_is_taken_again"], ONE_WRITER),
    Fault(
        "a lock that somebody holds for a while, or for good",
        [
            "faults/test_application::test_a_lock_that_goes_away_costs_only_patience",
            "faults/test_application::test_a_lock_that_stays_pauses_the_run",
        ],
    ),
    Fault(
        "a statement that takes too long",
        [
            "faults/test_endings::test_a_statement_that_takes_too_long_halves_the_batch",
            "faults/test_endings::test_even_one_row_may_take_too_long",
            "faults/test_endings::test_finding_the_boundary_may_take_too_long",
        ],
        {"sqlite": "no limit for a statement's time"},
    ),
    Fault(
        "COMMIT, ROLLBACK or DDL inside the batch",
        ["faults/test_endings::test_a_batch_that_is_ended_from_inside_fails_the_run"],
    ),
    Fault(
        "a pooler that changes the session after each transaction",
        [
            "faults/test_pooler::test_a_run_through_a_pooler",
            "faults/test_pooler::test_a_killed_run_goes_on",
            "faults/test_pooler::test_what_was_run_through_a_pooler_is_undone_through_it",
        ],
        {"sqlite": "no pooler", "mariadb": "no such pooler in use"},
    ),
    Fault(
        "a session that its last user left dirty",
        ["faults/test_surroundings::test_a_session_that_was_left_dirty_is_no_matter"],
    ),
    Fault(
        "columns that are renamed, swapped or changed between two batches",
        [
            "faults/test_drift::test_columns_that_swap_their_names_stop_the_run",
            "faults/test_drift::test_another_column_is_no_reason_to_stop",
        ],
    ),
    Fault(
        "rows inserted, changed or deleted before, in and behind the batch",
        [
            "faults/test_application::test_an_update_of_a_row_being_read_is_never_lost",
            "faults/test_application::test_deleted_rows_disturb_nobody",
            "faults/test_application::test_a_row_committed_behind_the_checkpoint_is_found",
            "faults/test_application::test_rows_behind_the_last_key_are_the_applications_own",
        ],
    ),
    Fault("the same run started several times at once", ["faults/test_takeover::test_of_several_starters_one_wins"]),
    Fault(
        "the definition is changed between two batches",
        ["faults/test_endings::test_a_changed_definition_is_refused_and_both_ways_on_work"],
    ),
    Fault(
        "a worker on another machine that is silent",
        [
            "faults/test_takeover::test_a_silent_workers_lease_runs_out",
            "faults/test_takeover::test_a_dead_workers_run_is_taken_over_at_once",
        ],
    ),
    Fault(
        "pause and cancel at any statement",
        [
            "faults/test_fencing::test_a_paused_run_finishes_its_batch",
            "faults/test_fencing::test_after_cancel_returns_no_batch_commits",
        ],
    ),
    Fault(
        "old row versions that pile up",
        ["test_vacuum::test_the_table_does_not_double"],
        {"sqlite": "none are left", "mariadb": "purged by the server"},
    ),
    Fault(
        "a row that cannot be read, validated, computed or written",
        [
            "rejections/test_sieve::test_every_other_row_is_filled_once",
            "rejections/test_sieve::test_mended_rows_are_taken_again",
        ],
    ),
    Fault(
        "the process ends within a batch by itself: exit, memory, recursion",
        ["faults/test_surroundings::test_a_process_that_ends_within_a_batch"],
    ),
    Fault(
        "undo interrupted, undo beside edits, undo twice",
        [
            "undo/test_crashes::test_everything_comes_back",
            "undo/test_edits::test_no_edit_is_lost_whenever_it_is_made",
            "undo/test_edits::test_undoing_twice_changes_nothing",
        ],
    ),
    Fault("replicas that lag", remark="not watched"),
]

MUTANTS = [
    Fault(
        "the checkpoint is committed before the rows, or after them",
        [
            "faults/test_crashes::test_a_checkpoint_in_another_transaction_is_found_out",
            "faults/test_kills::test_random_kills_find_out_a_checkpoint_in_another_transaction",
        ],
    ),
    Fault(
        "state or inserts are committed in another transaction",
        ["faults/test_crashes::test_what_is_written_in_another_transaction_is_found_out"],
    ),
    Fault("the guard asks for no epoch", ["faults/test_fencing::test_a_guard_without_epoch_is_found_out"], ONE_WRITER),
    Fault(
        "the guard asks for no sequence, for nothing, or is not heeded",
        [
            "faults/test_fencing::test_a_weak_guard_is_found_out",
            "faults/test_fencing::test_a_zombie_without_a_fence_is_found_out",
            "faults/test_zombies::test_a_real_zombie_without_a_fence_doubles_rows",
        ],
        ONE_WRITER,
    ),
    Fault(
        "a batch is repeated from memory after the link was lost",
        ["faults/test_links::test_a_retry_from_memory_is_found_out"],
        NO_SERVER,
    ),
    Fault(
        "rows are read without a lock, or locked ones are skipped",
        ["faults/test_application::test_a_read_without_the_lock_is_found_out"],
        ONE_WRITER,
    ),
    Fault(
        "a short batch ends the walk; the last key is taken again; the walk starts at zero",
        ["faults/test_mutants::test_a_walk_that_misses_or_repeats_rows"],
    ),
    Fault(
        "a batch that writes nothing ends the walk",
        ["faults/test_mutants::test_a_walk_that_ends_when_nothing_is_written"],
    ),
    Fault(
        "one is added to the key",
        ["faults/test_mutants::test_a_walk_that_adds_one_to_the_key"],
        {"sqlite": "goes on with a fraction"},
    ),
    Fault(
        "the checkpoint is forgotten when the ledger is read",
        ["faults/test_mutants::test_a_checkpoint_that_is_forgotten"],
    ),
    Fault("there is no sentinel", ["faults/test_mutants::test_a_batch_without_its_sentinel"]),
    Fault(
        "an error that nobody knows is repeated",
        ["faults/test_mutants::test_an_error_that_nobody_knows_is_not_repeated"],
    ),
    Fault(
        "nobody looks whether a link still answers",
        ["faults/test_watchdog::test_without_a_watchdog_the_run_hangs"],
        NO_SERVER,
    ),
    Fault(
        "a function's errors are not accounted for",
        ["faults/test_swallowed::test_an_account_that_is_not_kept_is_found_out"],
    ),
    Fault(
        "a conflict is swallowed",
        ["faults/test_mutants::test_a_conflict_that_is_swallowed"],
        {"sqlite": "one writer at a time", "postgresql": "nothing more is done in such a transaction"},
    ),
    Fault("leases go by a clock of one's own", ["faults/test_mutants::test_a_lease_by_a_clock_of_ones_own"]),
    Fault("undo does not ask whether a row is still ours", ["faults/test_mutants::test_an_undo_of_what_is_not_ours"]),
    Fault("a piece is cut from the slice's start", ["faults/test_crew::test_pieces_that_overlap_show"]),
    Fault("images travel through Python", remark="not planted; byte-exact values in tests/undo/test_values.py"),
    Fault(
        "keys are compared in Python",
        remark="harmless by construction: a batch is what the database finds between two places",
    ),
    Fault(
        "conditions are pasted without parentheses",
        remark="impossible by construction: conditions are expressions, raw text is refused",
    ),
]
