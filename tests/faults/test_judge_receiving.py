"""The judge sees what is wrong with what was taken in and told."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.judge import receiving
from tests.faults.record import Record, Row


def taken_in(record: Record) -> list[Row]:
    """What was received."""
    return [row for row in record.rows if not row.outbound]


def test_a_message_that_was_delivered_and_not_taken_in_is_found(record: Record) -> None:
    record.rows.remove(taken_in(record)[0])
    assert len(receiving.delivered_is_one_row_and_one_event(record).violations) == 1


def test_a_message_that_was_taken_in_twice_is_found(record: Record) -> None:
    record.rows.append(replace(taken_in(record)[0], message_id="m_another"))
    assert receiving.delivered_is_one_row_and_one_event(record).violations


def test_a_message_whose_text_was_changed_is_found(record: Record) -> None:
    row = taken_in(record)[0]
    record.rows[record.rows.index(row)] = replace(row, text="something else")
    assert receiving.delivered_is_one_row_and_one_event(record).violations


def test_a_message_that_nobody_said_is_found(record: Record) -> None:
    record.rows.append(replace(taken_in(record)[0], provider_message_id="3EB0STRAY"))
    assert receiving.delivered_is_one_row_and_one_event(record).violations


def test_a_message_that_was_told_twice_or_never_is_found(record: Record) -> None:
    told = next(event for event in record.events if event.kind == "message.received")
    record.events.append(replace(told, event_id="e_another"))
    assert len(receiving.delivered_is_one_row_and_one_event(record).violations) == 1
    record.events = [event for event in record.events if event.message_id != told.message_id]
    assert len(receiving.delivered_is_one_row_and_one_event(record).violations) == 1


def test_a_message_that_was_never_delivered_or_confirmed_is_found(record: Record) -> None:
    said = record.said[0].provider_message_id
    entries = list(record.oracle)
    for kind in ("DELIVERED", "CONFIRMED"):
        record.oracle = [entry for entry in entries if (entry.kind, entry.provider_message_id) != (kind, said)]
        assert len(receiving.delivered_is_one_row_and_one_event(record).violations) == 1


def test_arrivals_out_of_order_are_found(record: Record) -> None:
    first = taken_in(record)[0]
    record.rows.remove(first)
    record.rows.append(first)
    assert receiving.arrivals_keep_their_order(record).violations


def test_what_was_said_again_may_be_overtaken(record: Record) -> None:
    first = taken_in(record)[0]
    record.rows.remove(first)
    record.rows.append(first)
    accepted = [
        entry
        for entry in record.oracle
        if entry.kind == "ACCEPTED" and entry.provider_message_id == first.provider_message_id
    ]
    record.oracle.append(accepted[0])
    assert not receiving.arrivals_keep_their_order(record).violations
    assert receiving.arrivals_keep_their_order(record).checks > 0


def test_a_gap_in_a_sequence_is_found(record: Record) -> None:
    del record.events[len(record.events) // 2]
    assert len(receiving.sequences_have_no_gap(record).violations) == 1


def test_an_event_that_is_there_twice_is_found(record: Record) -> None:
    record.events.append(record.events[-1])
    assert receiving.sequences_have_no_gap(record).violations


def test_a_reader_that_missed_or_repeated_an_event_is_found(record: Record) -> None:
    told = record.readings[0]
    missed = told.pop()
    assert receiving.readers_are_told_all_once(record).violations
    told += [missed, missed]
    assert receiving.readers_are_told_all_once(record).violations


def test_what_is_shown_otherwise_than_it_is_stored_is_found(record: Record) -> None:
    record.stored[record.rows[0].message_id] = "FAILED"
    assert len(receiving.shown_is_stored(record).violations) == 1


def test_a_database_that_is_damaged_is_found(record: Record) -> None:
    record.damage = "row 3 missing from index messages_natural"
    assert len(receiving.shown_is_stored(record).violations) == 1
