"""The thirteen things that the verifier finds, by number, and the tests that do each of them to a real store.

Every test named here alters a store on SQLite and on PostgreSQL as its owner would (triggers dropped, hashes
recomputed, the key at hand), or an export, and expects the finding.
"""

from importlib import import_module
from inspect import signature
from typing import Final

import pytest

CHECK: Final = "tests.infrastructure.test_ledger_check"
OUTSIDE: Final = "tests.infrastructure.test_outside_proofs"
EXPORT: Final = "tests.infrastructure.test_ledger_export"
REPLAY: Final = "tests.infrastructure.replay_check"

THIRTEEN: Final[dict[int, tuple[str, dict[str, tuple[str, ...]]]]] = {
    1: (
        "a byte of an old state or entry changed",
        {
            CHECK: (
                "test_a_changed_byte_of_a_state",
                "test_a_changed_byte_of_an_entry",
                "test_a_changed_state_with_its_entry_recomputed",
                "test_a_forged_recorded_time_beside_its_entry",
                "test_a_forged_leaf_beside_its_entry",
            ),
            EXPORT: ("test_a_changed_byte_of_a_state", "test_a_changed_byte_of_an_entry"),
        },
    ),
    2: (
        "an event deleted, later ones renumbered, with the hashes recomputed",
        {
            CHECK: (
                "test_an_event_deleted",
                "test_an_event_deleted_with_everything_after_it_renumbered_and_recomputed",
                "test_an_event_deleted_and_everything_signed_again_is_found_by_who_holds_a_checkpoint",
            ),
        },
    ),
    3: (
        "two events swapped",
        {
            CHECK: (
                "test_two_events_swapped_as_they_are",
                "test_two_events_swapped_with_everything_recomputed",
                "test_two_events_of_one_stream_swapped_with_everything_recomputed_against_a_checkpoint_outside",
            ),
            EXPORT: ("test_two_entries_swapped",),
        },
    ),
    4: (
        "the tail cut off, a restored backup",
        {
            CHECK: (
                "test_the_tail_cut_off",
                "test_the_tail_and_the_latch_taken_back_together",
                "test_a_backup_restored_with_its_latch_and_its_files_is_shorter_than_what_is_held",
            ),
            OUTSIDE: (
                "test_a_witness_holds_more_than_the_restored_log_has",
                "test_a_restored_log_that_went_on_is_told_by_the_first_time_that_no_witness_could_have_seen",
            ),
            EXPORT: ("test_a_checkpoint_that_is_held_elsewhere",),
        },
    ),
    5: (
        "recorded times that go backwards, or contradict outside proofs",
        {
            CHECK: ("test_recorded_time_going_backwards",),
            OUTSIDE: (
                "test_an_entry_recorded_after_a_cosignature_that_covers_it",
                "test_an_entry_back_dated_before_a_cosignature_that_does_not_cover_it",
                "test_a_time_stamp_bounds_times_as_a_cosignature_does",
                "test_clocks_may_differ_by_a_minute",
            ),
            EXPORT: ("test_recorded_times_against_a_cosignature",),
        },
    ),
    6: (
        "two different checkpoints of one size",
        {
            CHECK: ("test_two_checkpoints_of_one_size",),
            OUTSIDE: ("test_a_second_root_of_one_size_from_anywhere",),
            EXPORT: ("test_a_checkpoint_that_is_held_elsewhere",),
        },
    ),
    7: (
        "a gap or repeat in a stream's versions or in prev",
        {
            CHECK: (
                "test_a_stream_with_a_gap_in_its_versions",
                "test_a_broken_link_within_a_stream",
                "test_a_repeated_position_and_a_repeated_version",
            ),
        },
    ),
    8: (
        "an entry without an event, an event without an entry",
        {
            CHECK: (
                "test_an_event_without_an_entry_and_an_entry_without_an_event",
                "test_a_row_with_neither_is_not_taken_for_nothing",
            ),
            EXPORT: ("test_a_bundle_that_is_gone", "test_states_that_are_gone_or_too_few"),
        },
    ),
    9: (
        "a tile that differs from its entries",
        {
            CHECK: (
                "test_a_tile_that_differs_from_its_entries",
                "test_a_bundle_that_differs_from_its_entries",
                "test_a_tile_that_is_gone",
            ),
            EXPORT: ("test_a_tile_that_differs_and_one_that_is_gone",),
        },
    ),
    10: (
        "an unknown key with a known name, base64 not canonical, trailing bytes, an entry too large",
        {
            CHECK: (
                "test_a_checkpoint_of_an_unknown_key_with_the_known_name",
                "test_a_checkpoint_with_base64_that_is_not_canonical",
                "test_a_bundle_with_bytes_behind_it",
                "test_an_entry_over_65535_bytes",
            ),
            OUTSIDE: (
                "test_a_line_of_an_unknown_key_under_the_logs_name",
                "test_a_cosignature_that_does_not_verify",
                "test_a_token_that_proves_nothing",
            ),
            EXPORT: (
                "test_a_folder_signed_by_a_stranger_under_the_logs_name",
                "test_a_base64_that_is_not_canonical",
                "test_bytes_behind_a_bundle_and_a_bundle_that_is_cut_short",
            ),
        },
    ),
    11: (
        "personal data missing without a person.erased event",
        {
            f"{REPLAY}.test_persons": (
                "test_data_deleted_without_the_event",
                "test_data_emptied_without_the_event",
                "test_data_erased_with_the_event_is_as_it_should_be",
            ),
        },
    ),
    12: (
        "a projection whose rows differ from a rebuild",
        {
            f"{REPLAY}.test_read_models": (
                "test_a_row_that_says_something_no_event_ever_said",
                "test_a_row_deleted",
                "test_a_row_that_should_not_be_there",
            ),
        },
    ),
    13: (
        "a sealed frame or pool that is not what the registry events up to its as_of give",
        {
            f"{REPLAY}.test_seals": (
                "test_a_site_registered_after_the_fact_under_an_earlier_date",
                "test_a_site_left_out_of_the_drum",
                "test_an_officer_left_out_of_the_pool",
            ),
        },
    ),
}
"""What is done, and the tests that do it, by their modules."""


def test_all_thirteen_are_here() -> None:
    assert sorted(THIRTEEN) == list(range(1, 14))


@pytest.mark.parametrize("number", THIRTEEN)
def test_each_is_done_to_a_real_store(number: int) -> None:
    _, modules = THIRTEEN[number]
    for name, tests in modules.items():
        module = import_module(name)
        for test in tests:
            # On a store of either engine, or on something made from one.
            assert {"log", "store", "out", "case"} & set(signature(getattr(module, test)).parameters), test


def test_only_findings_11_to_13_need_more_than_the_log() -> None:
    exported = {number for number, (_, modules) in THIRTEEN.items() if EXPORT in modules}
    live = {number for number, (_, modules) in THIRTEEN.items() if CHECK in modules}
    assert live == set(range(1, 11))
    assert exported >= {1, 3, 4, 5, 6, 8, 9, 10}
