"""A device has one live line, and those of a worker that is lost come back soon."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from typing import Final

from tests.faults.judge.finding import Finding
from tests.faults.plan import OF_NO_SENDER, OF_REDIS, Kind
from tests.faults.record import Entry, Injected, Record

TAKEN_OVER_WITHIN: Final = 20.0
"""Seconds from a worker's end until its sessions have lines elsewhere: of a hundred of them, 99."""
DRAINED_WITHIN: Final = 5.0
"""Seconds that handing all sessions over may take."""
_DEAF: Final = frozenset({Kind.STOP_ENGINE, Kind.FREEZE})
"""What keeps a line from being closed by whom it belongs to, and so leaves that to WhatsApp."""
_MOMENT: Final = 1.0
"""Seconds until what was kept from being closed is closed."""
_OF_NO_CONCERN: Final = OF_NO_SENDER | {Kind.LOSE_ACKS, Kind.HOLD_ACKS, Kind.GARBLE}
"""What is not to delay a takeover."""


def one_live_line(record: Record) -> Finding:
    """No device logs in while another line of it is alive; but where its owner was kept from closing that."""
    finding = Finding("at most one live line per device")
    for session_id, entries in _by_session(record).items():
        alive: dict[int, float] = {}
        for entry in entries:
            if entry.kind == "LOGOUT":
                alive.pop(entry.connection, None)
            elif entry.kind == "LOGIN":
                doubled = [] if _was_deaf(record, session_id, entry.time) else list(alive.values())
                found = f"{session_id} logged in at {entry.time:.3f}, and has lines since {doubled}"
                finding.check(not doubled, found)
                alive[entry.connection] = entry.time
    return finding


def handed_over_in_time(record: Record) -> Finding:
    """The sessions of a worker that was killed have lines again soon, and one that is drained hands over sooner."""
    finding = Finding("takeover p99 ≤ 20 s, drain ≤ 5 s")
    slow = percentile(takeovers(record), 0.99)
    finding.check(slow <= TAKEN_OVER_WITHIN, f"99 of 100 sessions of killed workers had lines again after {slow:.1f} s")
    for seconds in drains(record):
        finding.check(seconds <= DRAINED_WITHIN, f"a worker was drained after {seconds:.1f} s")
    return finding


def takeovers(record: Record) -> list[float]:
    """For each session of each worker that was killed: how many seconds it had no line. Where something else went wrong
    meanwhile that concerned it, nothing is told.
    """
    entries = _by_session(record)
    taken: list[float] = []
    for fault in record.faults:
        if fault.kind is Kind.KILL_WORKER:
            for session_id in fault.session_ids:
                logins = [entry.time for entry in entries[session_id] if entry.kind == "LOGIN"]
                place = bisect_right(logins, fault.ended)
                again = logins[place] if place < len(logins) else math.inf
                if not any(_delays(other, fault, session_id, again) for other in record.faults):
                    taken.append(again - fault.begun)
    return sorted(taken)


def drains(record: Record) -> list[float]:
    """How many seconds each worker took to hand its sessions over, but where Redis could not tell it that it should."""
    silent = [fault for fault in record.faults if fault.kind in OF_REDIS]
    return sorted(
        drain.ended - drain.begun
        for drain in record.faults
        if drain.kind is Kind.DRAIN_WORKER
        if not any(fault.begun <= drain.ended and fault.ended >= drain.begun for fault in silent)
    )


def percentile(seconds: list[float], share: float) -> float:
    """What this share of them does not exceed; 0 if there are none."""
    return seconds[math.ceil(len(seconds) * share) - 1] if seconds else 0.0


def _by_session(record: Record) -> dict[str, list[Entry]]:
    ours = {(session.phone_number, session.device): session.session_id for session in record.sessions}
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in record.oracle:
        if session_id := ours.get((entry.account, entry.device)):
            entries[session_id].append(entry)
    return entries


def _was_deaf(record: Record, session_id: str, until: float) -> bool:
    return any(
        fault.kind in _DEAF and fault.concerns(session_id) and fault.begun <= until <= fault.ended + _MOMENT
        for fault in record.faults
    )


def _delays(other: Injected, kill: Injected, session_id: str, until: float) -> bool:
    meets = other.begun <= until and other.ended >= kill.begun
    return other is not kill and other.kind not in _OF_NO_CONCERN and other.concerns(session_id) and meets
