"""The judge sees what is wrong with what was sent."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.judge import sending
from tests.faults.judge.attempts import attempts_of
from tests.faults.judge.judging import judged, proven
from tests.faults.plan import KILLS
from tests.faults.record import Entry, Got, Record, Row


def sent_once(record: Record) -> list[Row]:
    """Messages that were sent at the first attempt, by one copy."""
    copies, attempts = sending.copies_of(record), attempts_of(record)
    return [
        row
        for row in record.rows
        if row.outbound and len(copies[row.provider_message_id]) == 1 and len(attempts[row.message_id]) == 1
    ]


def copy_of(record: Record, row: Row) -> Entry:
    """WhatsApp's first copy of a message."""
    return sending.copies_of(record)[row.provider_message_id][0]


def test_a_sound_record_is_found_sound(record: Record) -> None:
    for finding in judged(record):
        assert finding.checks, finding.promise
        assert not finding.violations, finding.promise


def test_a_message_that_is_lost_after_its_acceptance_is_found(record: Record) -> None:
    lost = sent_once(record)[0]
    record.oracle.remove(copy_of(record, lost))
    assert len(sending.accepted_is_sent_or_ended(record).violations) == 1


def test_a_message_without_a_row_is_found(record: Record) -> None:
    record.rows.remove(sent_once(record)[0])
    assert sending.accepted_is_sent_or_ended(record).violations


def test_a_message_that_stays_unconfirmed_is_found(record: Record) -> None:
    row = sent_once(record)[0]
    record.rows[record.rows.index(row)] = replace(row, state="UNCONFIRMED")
    assert sending.accepted_is_sent_or_ended(record).violations


def test_a_message_that_ended_without_a_reason_is_found_and_one_with_a_reason_is_not(record: Record) -> None:
    row = sent_once(record)[0]
    place = record.rows.index(row)
    record.rows[place] = replace(row, state="FAILED")
    assert sending.accepted_is_sent_or_ended(record).violations
    record.rows[place] = replace(row, state="FAILED", reason="ERROR_REASON_PROVIDER_REFUSED")
    assert not sending.accepted_is_sent_or_ended(record).violations


def test_a_message_that_its_recipient_could_not_read_is_found(record: Record) -> None:
    text = sent_once(record)[0].text
    record.got = [got for got in record.got if got.text != text]
    assert len(sending.accepted_is_sent_or_ended(record).violations) == 1


def test_a_receipt_that_is_lost_is_found(record: Record) -> None:
    row = sent_once(record)[0]
    record.rows[record.rows.index(row)] = replace(row, reach="UNSPECIFIED")
    assert len(sending.receipts_are_told(record).violations) == 1


def test_a_text_that_went_out_under_two_ids_is_found(record: Record) -> None:
    got = record.got[0]
    record.got.append(Got(got.person, got.text, "3EB0ANOTHER"))
    assert len(sending.one_request_is_one_message(record).violations) == 1


def test_a_request_with_two_messages_is_found(record: Record) -> None:
    row = sent_once(record)[0]
    record.rows.append(replace(row, message_id="m_another", provider_message_id="3EB0ANOTHER"))
    assert len(sending.one_request_is_one_message(record).violations) == 1


def test_a_request_that_was_answered_with_two_messages_is_found(record: Record) -> None:
    call = record.calls[0]
    record.calls.append(replace(call, message_id="m_another"))
    assert len(sending.one_request_is_one_message(record).violations) == 1


def test_a_copy_that_nobody_asked_for_is_found(record: Record) -> None:
    copy = copy_of(record, sent_once(record)[0])
    record.oracle.append(replace(copy, provider_message_id="3EB0STRAY"))
    assert len(sending.one_request_is_one_message(record).violations) == 1


def test_two_copies_of_one_attempt_are_found(record: Record) -> None:
    copy = copy_of(record, sent_once(record)[0])
    record.oracle.insert(record.oracle.index(copy), copy)
    assert len(sending.second_copies_are_of_faults(record).violations) == 1


def test_a_second_copy_is_found_unless_a_fault_of_its_session_fell_into_the_attempt_before(record: Record) -> None:
    assert any(len(copies) == 2 for copies in sending.copies_of(record).values())
    assert not sending.second_copies_are_of_faults(record).violations
    record.faults = [replace(fault, session_id="another") for fault in record.faults]
    assert len(sending.second_copies_are_of_faults(record).violations) == 1
    record.faults = [replace(fault, session_id="", ended=fault.begun - 100) for fault in record.faults]
    assert len(sending.second_copies_are_of_faults(record).violations) == 1


def test_a_message_that_overtook_another_in_its_chat_is_found(record: Record) -> None:
    rows = sent_once(record)
    first = rows[0]
    chat = (first.session_id, first.chat_id)
    second = next(row for row in rows[1:] if (row.session_id, row.chat_id) == chat)
    places = [record.oracle.index(copy_of(record, row)) for row in (first, second)]
    entries = [record.oracle[place] for place in places]
    for place, entry in zip(places, reversed(entries), strict=True):
        record.oracle[place] = entry
    assert sending.chats_keep_their_order(record).violations


def test_kills_between_send_and_ack_are_counted_only_with_proof(record: Record) -> None:
    assert proven(record)
    assert all(fault.kind in KILLS for fault in proven(record))
    record.oracle = [entry for entry in record.oracle if entry.kind != "ACCEPTED"]
    assert not proven(record)
