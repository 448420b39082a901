"""An owner whose lease ran out while it was stopped writes nothing any more."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from tests.faults.judge.attempts import Attempt, attempts_of
from tests.faults.judge.finding import Finding
from tests.faults.plan import STOPS, Kind
from tests.faults.record import Entry, Event, Injected, Record

_MOMENT: Final = 0.5
"""Seconds from the decision to stop a process until it surely stands; far less than it stands."""
_WITH_A_LINE: Final = frozenset({"CONNECTED", "DEGRADED", "RECONNECTING"})
_BY_CALLERS: Final = frozenset({"message.accepted", "session.created", "session.updated"})
"""Events that are written by whoever is called, owner or not."""
_WRITTEN: Final = frozenset({"ACCEPTED", "REFUSED", "CONFIRMED"})
"""What the lab notes when a line writes to it."""


def sessions_come_back(record: Record) -> Finding:
    """In the end every session is connected again, without anybody's help."""
    finding = Finding("sessions come back by themselves")
    for session in record.sessions:
        finding.check(session.state == "CONNECTED", f"{session.session_id} is {session.state}")
    return finding


def stale_owners_write_nothing(record: Record) -> Finding:
    """After a stop beyond the lease, the old owner writes nothing: no line that it had says anything to WhatsApp, and
    the first that an owner stores is that there is no line.
    """
    finding = Finding("nothing is written by an owner whose lease ran out")
    by_uid: defaultdict[str, list[Event]] = defaultdict(list)
    for event in record.events:
        by_uid[event.uid].append(event)
    by_account: defaultdict[tuple[str, int], list[Entry]] = defaultdict(list)
    for entry in record.oracle:
        by_account[entry.account, entry.device].append(entry)
    spared = residual(record)
    for fault in record.faults:
        if fault.kind not in STOPS:
            continue
        for session in record.sessions:
            if not fault.concerns(session.session_id):
                continue
            if not any(_delays(other, fault, session.session_id) for other in record.faults):
                written = [entry for entry in by_account[session.phone_number, session.device] if entry not in spared]
                _judge_lines(finding, fault, written, record.lease_seconds)
            if fault.kind in (Kind.STOP_GATEWAY, Kind.STOP_WORKER):
                _judge_events(finding, fault, by_uid[session.uid], _starts_after(fault, record))
    return finding


def _delays(other: Injected, stop: Injected, session_id: str) -> bool:
    """Whether the lab read a session's line late, so that what had been written before the stop came after it."""
    meets = other.begun <= stop.ended and other.ended >= stop.begun
    return other.kind is Kind.FREEZE and other.concerns(session_id) and meets


def _judge_lines(finding: Finding, fault: Injected, entries: list[Entry], lease_seconds: float) -> None:
    late = _late(fault, entries, lease_seconds)
    finding.check(not late, f"a line of before the stop at {fault.begun:.3f} still wrote: {late}")


def _late(fault: Injected, entries: list[Entry], lease_seconds: float) -> list[Entry]:
    """What lines of before a stop wrote after all leases of then were over."""
    logins = {
        (entry.account, entry.device, entry.connection)
        for entry in entries
        if entry.kind == "LOGIN" and entry.time <= fault.begun
    }
    out = fault.begun + lease_seconds + _MOMENT
    return [
        entry
        for entry in entries
        if entry.kind in _WRITTEN and entry.time > out and (entry.account, entry.device, entry.connection) in logins
    ]


def residual(record: Record) -> list[Entry]:
    """The copies that no check of a lease can prevent: an engine was stopped between that check and the write, and
    wrote when it went on, under the id of the attempt that had begun before. At most one for each session and stop.
    """
    rows = {row.provider_message_id: row.message_id for row in record.rows if row.outbound}
    attempts = attempts_of(record)
    found: list[Entry] = []
    for fault in record.faults:
        for session in record.sessions:
            if fault.kind is Kind.STOP_ENGINE and fault.concerns(session.session_id):
                own = [entry for entry in record.oracle if entry.account == session.phone_number]
                late = [
                    entry
                    for entry in _late(fault, own, record.lease_seconds)
                    if any(_was_under_way(made, fault) for made in attempts[rows.get(entry.provider_message_id, "")])
                ]
                found += late[:1]
    return found


def _was_under_way(made: Attempt, stop: Injected) -> bool:
    return made.begun <= stop.begun + _MOMENT and made.met(stop)


def _starts_after(stop: Injected, record: Record) -> list[float]:
    """When gateways were killed after a stop, and others began in their place."""
    killed = (Kind.KILL_GATEWAY, Kind.KILL_BOTH)
    return [fault.ended for fault in record.faults if fault.kind in killed and fault.begun >= stop.ended]


def _judge_events(finding: Finding, fault: Injected, events: list[Event], starts: list[float]) -> None:
    """A new owner stores first that it makes a line; a gateway that begins, that those of the one before are lost."""
    states = [event.state for event in events if event.kind == "session.state_changed" and event.time <= fault.begun]
    if not states or states[-1] not in _WITH_A_LINE:
        return
    late = [event for event in events if event.time > fault.begun + _MOMENT and event.kind not in _BY_CALLERS]
    if late:
        begun_anew = any(start <= late[0].time for start in starts)
        right = late[0].kind == "session.state_changed" and (
            late[0].state == "STARTING" or (begun_anew and late[0].state == "RECONNECTING")
        )
        finding.check(right, f"the first that was stored after the stop at {fault.begun:.3f} is {late[0]}")
