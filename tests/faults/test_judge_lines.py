"""The judge sees two lines of one device, and who was without one for long."""

from __future__ import annotations

from dataclasses import replace

from tests.faults.judge import lines, owning
from tests.faults.plan import Kind
from tests.faults.record import Entry, Injected, Record


def own_entries(record: Record, kind: str) -> list[Entry]:
    """What the oracle has of the first session's device."""
    session = record.sessions[0]
    return [entry for entry in record.oracle if entry.kind == kind and entry.account == session.phone_number]


def test_a_login_beside_a_line_that_is_alive_is_found(record: Record) -> None:
    login = own_entries(record, "LOGIN")[-1]
    assert not lines.one_live_line(record).violations
    place = record.oracle.index(login)
    record.oracle.insert(place + 1, replace(login, connection=10_000))
    assert len(lines.one_live_line(record).violations) == 1


def test_a_login_beside_a_line_whose_owner_cannot_close_it_is_none_of_the_owners_faults(record: Record) -> None:
    login = own_entries(record, "LOGIN")[-1]
    record.oracle.insert(record.oracle.index(login) + 1, replace(login, connection=10_000))
    session_id = record.sessions[0].session_id
    record.faults.append(Injected(Kind.STOP_ENGINE, login.time - 1, login.time + 1, session_ids=(session_id,)))
    assert not lines.one_live_line(record).violations


def test_a_takeover_is_as_long_as_the_session_has_no_line(record: Record) -> None:
    record.faults.clear()
    session, login = record.sessions[0], own_entries(record, "LOGIN")[-1]
    record.faults.append(
        Injected(Kind.KILL_WORKER, login.time - 30, login.time - 29.9, session_ids=(session.session_id,))
    )
    record.oracle[:] = [entry for entry in record.oracle if entry is login]
    (seconds,) = lines.takeovers(record)
    assert round(seconds, 3) == 30
    assert len(lines.handed_over_in_time(record).violations) == 1


def test_a_drain_that_takes_longer_than_it_may_is_found(record: Record) -> None:
    record.faults.append(Injected(Kind.DRAIN_WORKER, 100.0, 104.9))
    assert not lines.handed_over_in_time(record).violations
    record.faults.append(Injected(Kind.DRAIN_WORKER, 110.0, 115.1))
    assert len(lines.handed_over_in_time(record).violations) == 1


def test_what_was_under_way_when_an_engine_was_stopped_is_counted_apart(record: Record) -> None:
    rows = {row.message_id: row for row in record.rows if row.outbound}
    begun = next(event for event in reversed(record.events) if event.state == "SENDING")
    stop = Injected(Kind.STOP_ENGINE, begun.time + 0.001, begun.time + 5)
    sent = next(
        entry
        for entry in record.oracle
        if entry.kind == "ACCEPTED" and entry.provider_message_id == rows[begun.message_id].provider_message_id
    )
    record.faults[:] = [stop]
    record.oracle[:] = [entry for entry in record.oracle if entry.time <= stop.begun]
    record.oracle.append(replace(sent, time=stop.ended + 0.1))
    assert len(owning.residual(record)) == 1
    assert not owning.stale_owners_write_nothing(record).violations
    record.oracle.append(replace(sent, time=stop.ended + 0.2, provider_message_id="another"))
    assert owning.stale_owners_write_nothing(record).violations
