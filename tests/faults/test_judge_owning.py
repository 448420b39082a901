"""The judge sees what an owner writes whose lease ran out."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.judge import owning
from tests.faults.plan import Kind
from tests.faults.record import Injected, Record


def stop(record: Record, kind: Kind) -> Injected:
    """The stop of this kind."""
    return next(fault for fault in record.faults if fault.kind is kind)


def test_a_line_that_writes_after_its_lease_ran_out_is_found(record: Record) -> None:
    for kind in (Kind.STOP_GATEWAY, Kind.STOP_ENGINE):
        fault = stop(record, kind)
        before = [entry for entry in record.oracle if entry.kind == "ACCEPTED" and entry.time < fault.begun]
        ours = {session.phone_number for session in record.sessions}
        own = next(entry for entry in reversed(before) if entry.account in ours)
        record.oracle.append(replace(own, time=fault.ended + 0.1))
        assert owning.stale_owners_write_nothing(record).violations
        record.oracle.pop()
        assert not owning.stale_owners_write_nothing(record).violations


def test_an_owner_that_stores_something_after_its_lease_ran_out_is_found(record: Record) -> None:
    fault = stop(record, Kind.STOP_GATEWAY)
    session = record.sessions[0]
    place, after = next(
        (place, event)
        for place, event in enumerate(record.events)
        if event.uid == session.uid and event.time > fault.ended and event.kind == "session.state_changed"
    )
    stale = replace(after, kind="message.status_changed", state="SENT", time=fault.ended + 0.01)
    record.events.insert(place, stale)
    assert len(owning.stale_owners_write_nothing(record).violations) == 1


def test_a_session_that_did_not_come_back_is_found(record: Record) -> None:
    record.sessions[0] = replace(record.sessions[0], state="RECONNECTING")
    assert len(owning.sessions_come_back(record).violations) == 1
