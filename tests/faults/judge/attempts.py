"""Attempts at sending, as the event log tells them: begun with SENDING, ended with the next state."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from tests.faults.plan import KILLS, Kind
from tests.faults.record import Entry, Injected, Record

_ENDING: Final = frozenset({*KILLS, Kind.KILL_WORKER})
"""What may end an attempt without an answer."""


@dataclass(slots=True)
class Attempt:
    """One attempt. `outcome` is the state that ended it, empty if nothing did."""

    begun: float
    ended: float = math.inf
    outcome: str = ""

    def met(self, fault: Injected) -> bool:
        """Whether a fault fell between its begin and its end."""
        return fault.begun <= self.ended and fault.ended >= self.begun


def attempts_of(record: Record) -> dict[str, list[Attempt]]:
    """The attempts of each message, in order."""
    attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
    for event in record.events:
        if event.kind != "message.status_changed":
            continue
        made = attempts[event.message_id]
        if event.state == "SENDING":
            made.append(Attempt(event.time))
        elif made and not made[-1].outcome:
            made[-1].ended, made[-1].outcome = event.time, event.state
    return attempts


def between_send_and_ack(record: Record, copies: dict[str, list[Entry]]) -> list[Injected]:
    """The kills that provably fell between a message's send and its ack: WhatsApp had taken it before, the attempt
    ended only afterwards, and without an answer.
    """
    attempts = attempts_of(record)
    open_spans = [
        (copy.time, attempt.ended)
        for row in record.rows
        if row.outbound
        for attempt in attempts[row.message_id]
        if attempt.outcome == "UNCONFIRMED"
        for copy in copies.get(row.provider_message_id, ())
        if attempt.begun <= copy.time <= attempt.ended
    ]
    return [
        fault
        for fault in record.faults
        if fault.kind in _ENDING and any(taken < fault.begun and fault.ended < ended for taken, ended in open_spans)
    ]
