"""Known: every fault that may befall a run, and the tests that show what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

NO_SERVER = {"sqlite": "a file has no link"}
ONE_WRITER = {"sqlite": "one writer at a time"}
NO_REPLICA = {"sqlite": "a file has no replica", "mariadb": "not shown"}


@dataclass(frozen=True)
class Fault:
    """One thing that may happen, or one thing that the protocol may do wrong."""

    number: int
    """Of the list of faults, or of mutants, that the project set out with."""
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
        1,
        "SIGKILL before and after every statement",
        [
            "faults/test_crashes::test_a_crash_at_any_statement_loses_and_doubles_nothing",
            "faults/test_crashes::test_a_crash_within_a_batch_of_any_kind_loses_and_doubles_nothing",
        ],
    ),
    Fault(2, "SIGKILL at a random time", ["faults/test_kills::test_random_kills_lose_and_double_nothing"]),
    Fault(
        3,
        "SIGKILL while several workers are at it",
        [
            "faults/test_crew::test_random_kills_of_several_threads",
            "faults/test_crew::test_a_killed_helper_is_replaced",
            "faults/test_crew::test_helpers_do_not_outlive_their_leader",
        ],
        ONE_WRITER,
    ),
    Fault(
        4,
        "a worker that stands still at any statement, is replaced, and wakes up",
        [
            "faults/test_fencing::test_an_overtaken_worker_doubles_nothing",
            "faults/test_fencing::test_a_worker_without_its_lease_commits_nothing",
            "faults/test_zombies::test_a_real_zombie_does_no_harm",
            "faults/test_crew::test_a_frozen_helper_is_killed",
        ],
    ),
    Fault(
        5,
        "the link is cut before COMMIT arrives, or before its answer does",
        ["faults/test_links::test_a_wire_cut_around_a_commit_doubles_nothing"],
        NO_SERVER,
    ),
    Fault(
        6,
        "COMMIT waits for a synchronous replica, and the session is ended there",
        ["faults/test_replicas::test_a_commit_that_waits_for_a_replica_may_be_given_up"],
        NO_REPLICA,
    ),
    Fault(
        7,
        "COMMIT waits for a synchronous replica, and the waiting is cancelled",
        ["faults/test_replicas::test_a_commit_that_waits_for_a_replica_may_be_given_up"],
        NO_REPLICA,
    ),
    Fault(
        8,
        "a dead worker's session still holds row locks",
        [
            "faults/test_application::test_a_lock_that_stays_pauses_the_run",
            "faults/test_zombies::test_a_real_zombie_does_no_harm",
        ],
    ),
    Fault(
        9,
        "a link that swallows everything",
        [
            "faults/test_watchdog::test_a_dead_link_is_hung_up_and_the_run_goes_on",
            "faults/test_watchdog::test_a_function_that_computes_for_long_is_no_dead_link",
        ],
        NO_SERVER,
    ),
    Fault(
        10,
        "the server is killed within a batch",
        ["faults/test_crashing_server::test_a_killed_server_loses_and_doubles_nothing"],
        {"sqlite": "the run is the server"},
    ),
    Fault(
        11,
        "failover to a replica that lost commits",
        ["faults/test_replicas::test_a_replica_that_lost_commits_goes_on_where_it_stands"],
        NO_REPLICA,
    ),
    Fault(
        12,
        "two primaries after a failover",
        remark="each is a database of its own, with a ledger of its own; which of them is the right one nobody asks",
    ),
    Fault(
        13,
        "the disk is full",
        [
            "faults/test_full_disk::test_a_full_disk_pauses_the_run",
            "faults/test_full_disk::test_a_file_that_may_not_grow_pauses_the_run",
        ],
    ),
    Fault(
        14, "a deadlock with the application", ["faults/test_application::test_a_deadlock_is_taken_again"], ONE_WRITER
    ),
    Fault(
        15,
        "a lock that somebody holds for a while, or for good",
        [
            "faults/test_application::test_a_lock_that_goes_away_costs_only_patience",
            "faults/test_application::test_a_lock_that_stays_pauses_the_run",
        ],
    ),
    Fault(
        16,
        "a session in which an edit would be a serialization failure",
        ["faults/test_application::test_a_session_that_is_serializable_by_default_fails_no_batch"],
    ),
    Fault(
        17,
        "a statement that takes too long",
        [
            "faults/test_endings::test_a_statement_that_takes_too_long_halves_the_batch",
            "faults/test_endings::test_even_one_row_may_take_too_long",
            "faults/test_endings::test_finding_the_boundary_may_take_too_long",
        ],
        {"sqlite": "no limit for a statement's time"},
    ),
    Fault(
        18,
        "the database is read-only",
        ["faults/test_surroundings::test_a_database_that_cannot_be_written_pauses_the_run"],
    ),
    Fault(
        19,
        "COMMIT, ROLLBACK or DDL inside the batch",
        [
            "faults/test_endings::test_a_batch_that_is_ended_from_inside_fails_the_run",
            "faults/test_swallowed::test_what_failed_and_was_caught_takes_the_batch_back",
            "faults/test_swallowed::test_a_deadlock_that_was_caught_is_taken_again",
        ],
    ),
    Fault(
        20,
        "a pooler that changes the session after each transaction",
        [
            "faults/test_pooler::test_a_run_through_a_pooler",
            "faults/test_pooler::test_a_killed_run_goes_on",
            "faults/test_pooler::test_what_was_run_through_a_pooler_is_undone_through_it",
        ],
        {"sqlite": "no pooler", "mariadb": "no such pooler in use"},
    ),
    Fault(
        21,
        "a session that its last user left dirty",
        ["faults/test_surroundings::test_a_session_that_was_left_dirty_is_no_matter"],
    ),
    Fault(
        22,
        "columns that are renamed, swapped or changed between two batches",
        [
            "faults/test_drift::test_columns_that_swap_their_names_stop_the_run",
            "faults/test_drift::test_another_column_is_no_reason_to_stop",
        ],
    ),
    Fault(
        23,
        "a migration waits behind a batch, and the application behind the migration",
        ["faults/test_application::test_a_migration_that_waits_for_a_batch_gets_its_turn"],
        ONE_WRITER,
    ),
    Fault(
        24,
        "rows inserted, changed or deleted before, in and behind the batch",
        [
            "faults/test_application::test_an_update_of_a_row_being_read_is_never_lost",
            "faults/test_application::test_deleted_rows_disturb_nobody",
            "faults/test_application::test_a_row_committed_behind_the_checkpoint_is_found",
            "faults/test_application::test_rows_behind_the_last_key_are_the_applications_own",
        ],
    ),
    Fault(
        25, "the same run started several times at once", ["faults/test_takeover::test_of_several_starters_one_wins"]
    ),
    Fault(
        26,
        "another definition, another size of batches, or a newer ledger between two batches",
        [
            "faults/test_endings::test_a_changed_definition_is_refused_and_both_ways_on_work",
            "faults/test_endings::test_another_size_of_batches_is_no_change",
            "test_cli::test_a_ledger_of_the_future_is_left_alone",
        ],
    ),
    Fault(
        27,
        "the ledger cannot be read",
        ["faults/test_endings::test_a_ledger_that_cannot_be_read_stops_the_run_where_it_stands"],
    ),
    Fault(
        28,
        "a clock that is wrong by a day, and a worker on another machine that is silent",
        [
            "faults/test_takeover::test_a_lease_of_yesterday_is_no_lease",
            "faults/test_takeover::test_a_silent_workers_lease_runs_out",
            "faults/test_takeover::test_a_dead_workers_run_is_taken_over_at_once",
        ],
    ),
    Fault(29, "replicas that lag", remark="not watched: `--gentle` and `pause` are what there is"),
    Fault(
        30,
        "old row versions that pile up",
        ["test_vacuum::test_the_table_does_not_double"],
        {"sqlite": "none are left", "mariadb": "purged by the server"},
    ),
    Fault(
        31,
        "a row that cannot be read, validated, computed or written",
        [
            "rejections/test_sieve::test_every_other_row_is_filled_once",
            "rejections/test_sieve::test_mended_rows_are_taken_again",
        ],
    ),
    Fault(
        32,
        "the process ends within a batch by itself: exit, memory, recursion",
        ["faults/test_surroundings::test_a_process_that_ends_within_a_batch"],
    ),
    Fault(
        33,
        "the same batch is done twice, late, or by an old hand",
        [
            "faults/test_fencing::test_an_overtaken_worker_doubles_nothing",
            "faults/test_fencing::test_after_cancel_returns_no_batch_commits",
            "faults/test_fencing::test_a_paused_run_finishes_its_batch",
        ],
    ),
    Fault(
        34,
        "the worker is cut off from its database",
        [
            "faults/test_links::test_a_killed_session_is_resumed_exactly",
            "faults/test_watchdog::test_a_dead_link_is_hung_up_and_the_run_goes_on",
            "test_reconnection::test_a_killed_session_costs_no_row",
        ],
        NO_SERVER,
    ),
    Fault(
        35,
        "undo interrupted, undo beside edits, undo twice",
        [
            "undo/test_crashes::test_everything_comes_back",
            "undo/test_edits::test_no_edit_is_lost_whenever_it_is_made",
            "undo/test_edits::test_undoing_twice_changes_nothing",
        ],
    ),
]
