"""Every reason of the contract is raised by a test: by a case of the table of bad input, or by a story named here."""

from __future__ import annotations

import ast
from typing import Final

import pytest

from gateway.domain.errors import error_kinds
from tests.acceptance.scenery import table
from tests.stage.programs import ROOT
from wagate.v1.error_reason_pb2 import ErrorReason

PREFIX: Final = "ERROR_REASON_"
STORIES: Final = {
    "CURSOR_EXPIRED": "tests/acceptance/test_retention.py"
    "::test_whoever_was_away_for_longer_than_events_are_kept_is_told_so_and_from_where_to_go_on",
    "REACHOUT_RESTRICTED": "tests/acceptance/test_text_out.py::test_what_whatsapp_refuses_fails_with_its_number",
    "GAVE_UP": "tests/acceptance/test_outbox_waits.py::test_what_waits_longer_than_it_may_expires_and_that_is_told",
    "SESSION_DELETED": "tests/acceptance/test_operating.py::test_a_deleted_session_leaves_no_keys_and_ends_its_outbox",
    "RECIPIENT_NOT_ON_WHATSAPP": "tests/acceptance/test_text_out.py"
    "::test_a_number_without_an_account_fails_the_message",
    "CONSUMER_TOO_SLOW": "tests/acceptance/test_reasons_of_calls.py"
    "::test_a_feed_that_nobody_reads_is_closed_and_goes_on_from_its_cursor",
    "TOO_MANY_WATCHERS": "tests/acceptance/test_reasons_of_pairing.py"
    "::test_eight_may_watch_an_attempt_and_a_ninth_may_not",
    "OUTCOME_OPEN": "tests/acceptance/test_reasons_of_calls.py"
    "::test_a_deadline_that_passes_while_whatsapp_is_asked_leaves_the_outcome_open",
    "OWNER_UNAVAILABLE": "tests/acceptance/fleet/test_takeover.py::test_another_worker_goes_on_where_one_was_killed",
    "PAIRING_TIMED_OUT": "tests/acceptance/test_pairing_by_qr.py"
    "::test_codes_are_renewed_until_none_is_left_and_the_attempt_times_out",
    "PAIRING_CANCELED": "tests/acceptance/test_pairing_ends.py::test_a_cancelled_attempt_ends_for_all_who_watch",
    "PAIRING_SUPERSEDED": "tests/acceptance/test_pairing_by_code.py"
    "::test_an_attempt_of_the_other_sort_takes_the_place_of_the_one_under_way",
    "PAIRING_FAILED": "tests/acceptance/test_reasons_of_pairing.py"
    "::test_an_attempt_whose_line_is_lost_has_failed_and_the_next_one_succeeds",
    "PAIRED_WRONG_ACCOUNT": "tests/acceptance/test_pairing_ends.py"
    "::test_another_number_than_the_expected_one_is_not_linked",
    "SHUTTING_DOWN": "tests/acceptance/test_reasons_of_calls.py"
    "::test_whoever_watches_a_message_is_told_that_the_server_stops",
    "STORE_UNAVAILABLE": "tests/acceptance/test_reasons_of_calls.py"
    "::test_a_database_that_cannot_be_written_refuses_and_accepts_nothing",
    "STORE_FULL": "tests/acceptance/test_disk_full.py"
    "::test_a_full_disk_refuses_and_keeps_what_was_accepted_and_room_is_all_it_takes_to_go_on",
    "INTERNAL": "tests/unit/transport/test_errors.py::test_what_is_unforeseen_is_internal_and_tells_nothing",
    "PROVIDER_REFUSED": "tests/acceptance/test_reasons_of_messages.py"
    "::test_what_whatsapp_refuses_for_a_reason_of_its_own_fails_with_its_number",
    "LINE_LOST": "tests/acceptance/test_line_states.py::test_a_line_that_is_cut_is_made_anew_at_the_time_that_is_told",
    "LINE_UNRESPONSIVE": "tests/acceptance/test_line_states.py"
    "::test_a_line_that_does_not_answer_is_degraded_and_then_made_anew",
    "SESSION_REPLACED": "tests/acceptance/test_line_states.py"
    "::test_a_line_taken_away_by_a_second_client_is_blocked_until_it_is_started",
    "CLIENT_OUTDATED": "tests/acceptance/test_line_states.py"
    "::test_a_client_too_old_is_blocked_and_tried_again_at_once_when_it_is_started",
    "ACCOUNT_BANNED": "tests/acceptance/test_line_states.py"
    "::test_an_account_that_is_banned_is_blocked_until_the_ban_is_over",
    "NEVER_CONFIRMED": "tests/acceptance/test_unconfirmed.py"
    "::test_whoever_waits_for_word_of_a_message_can_stop_waiting_and_the_chat_goes_on",
    "KEYS_UNREADABLE": "tests/acceptance/test_damaged_keys.py"
    "::test_one_session_with_damaged_keys_is_blocked_until_a_person_helps_and_the_others_go_on",
    "SESSION_SUSPENDED": "tests/unit/services/test_faults_in_a_row.py"
    "::test_after_some_faults_in_a_row_a_session_is_suspended_and_says_why_and_until_when",
    "PAIRING_NEEDED": "tests/acceptance/test_reasons_of_pairing.py"
    "::test_a_session_that_nobody_paired_says_that_it_needs_to_be",
}
"""For each reason that no bad request has: the test that asserts it."""

REASONS: Final = {
    name.removeprefix(PREFIX) for name, number in ErrorReason.items() if number != ErrorReason.ERROR_REASON_UNSPECIFIED
}


def test_each_reason_is_raised_by_a_case_of_the_table_or_by_a_story() -> None:
    raised = {case["reason"] for case in table() if "reason" in case} | STORIES.keys()
    assert raised == REASONS


@pytest.mark.parametrize("reason", STORIES)
def test_the_story_of_a_reason_is_there_and_asserts_it(reason: str) -> None:
    path, name = STORIES[reason].split("::")
    source = (ROOT / path).read_text(encoding="utf-8")
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    (story,) = (function for function in functions if function.name == name)
    names = {reason} | {kind.__name__ for kind in error_kinds() if kind.reason == ErrorReason.Value(PREFIX + reason)}
    checks = [ast.unparse(node) for node in ast.walk(story) if isinstance(node, ast.Assert | ast.withitem)]
    assert any(name in check for name in names for check in checks)
