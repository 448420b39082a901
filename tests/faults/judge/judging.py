"""All promises, judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.faults.judge import lines, owning, receiving, sending
from tests.faults.judge.attempts import between_send_and_ack
from tests.faults.judge.finding import Finding
from tests.faults.record import Injected, Record

PROMISES: Final[tuple[Callable[[Record], Finding], ...]] = (
    sending.accepted_is_sent_or_ended,
    sending.receipts_are_told,
    sending.one_request_is_one_message,
    sending.second_copies_are_of_faults,
    sending.chats_keep_their_order,
    receiving.delivered_is_one_row_and_one_event,
    receiving.arrivals_keep_their_order,
    receiving.sequences_have_no_gap,
    receiving.shown_is_stored,
    receiving.readers_are_told_all_once,
    owning.sessions_come_back,
    owning.stale_owners_write_nothing,
    lines.one_live_line,
    lines.handed_over_in_time,
)


def judged(record: Record) -> list[Finding]:
    """What is found of each promise."""
    return [promise(record) for promise in PROMISES]


def proven(record: Record) -> list[Injected]:
    """The kills that provably fell between a send and its ack."""
    return between_send_and_ack(record, sending.copies_of(record))
