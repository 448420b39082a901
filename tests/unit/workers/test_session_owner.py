"""Owners: what is wanted of a session becomes what is the case, for as long as the lease lasts."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState
from gateway.domain.messages import State as MessageState
from gateway.domain.sessions import State
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House
from tests.unit.services.telling import person, place, says
from tests.unit.workers.answers import Held
from tests.unit.workers.crew import (
    another_owner_takes,
    connected,
    in_state,
    message_in_state,
    never_paired,
    owned,
    tools_of,
)
from tests.unit.workers.scripted_provider import CONNECTED, DEVICE
from wagate.v1 import error_reason_pb2 as reasons
from wagate.v1 import session_pb2
from wagate.v1 import session_service_pb2 as pb

NAMED = {"session_id": "sales"}


async def states(house: House, *, after: int = 0) -> list[str]:
    """The states that the log tells."""
    told = [event.session_state_changed.status.state for event in await house.log("session.state_changed", after=after)]
    return [State.Name(state).removeprefix("STATE_") for state in told]


async def test_a_session_that_is_wanted_gets_a_line_and_is_connected_when_the_line_is(
    house: House, lease: Lease
) -> None:
    await house.lines.starting(lease)
    told = await house.newest()
    async with owned(house, lease):
        line = await house.provider.line()
        assert (line.opening.device, line.opening.lease) == ((await house.session()).device, lease)
        await line.tell(LineChanged(LineState.OPENING))
        await line.come_up()
        await in_state(house, State.STATE_CONNECTED)
    assert (await states(house, after=told))[:1] == ["CONNECTED"]


async def test_a_session_that_was_never_paired_waits_for_a_person(house: House) -> None:
    lease = await never_paired(house)
    async with owned(house, lease):
        line = await house.provider.line()
        await line.tell(LineChanged(LineState.OPENING), LineChanged(LineState.UNLINKED))
        await in_state(house, State.STATE_PAIRING)


async def test_a_session_that_is_stopped_while_connected_closes_its_line_and_rests(house: House, lease: Lease) -> None:
    async with owned(house, lease) as working:
        line = await house.provider.line()
        await line.come_up()
        told = await house.newest()
        await house.sessions.stop(house.call(), pb.StopSessionRequest(**NAMED))
        await asyncio.wait_for(working, SECONDS)
    assert line.closed
    assert not line.logged_out
    assert await states(house, after=told) == ["STOPPING", "STOPPED"]


async def test_a_stop_keeps_the_outbox_and_a_start_goes_on_with_it(house: House, lease: Lease) -> None:
    async with owned(house, lease) as working:
        await (await house.provider.line()).come_up()
        await house.sessions.stop(house.call(), pb.StopSessionRequest(**NAMED))
        await asyncio.wait_for(working, SECONDS)
    message_id = await house.send()
    assert (await house.message(message_id)).state == MessageState.STATE_QUEUED
    await house.sessions.start(house.call(), pb.StartSessionRequest(**NAMED))
    async with connected(house, lease):
        await message_in_state(house, message_id, MessageState.STATE_SENT)


async def test_what_was_in_flight_at_a_stop_is_unconfirmed_and_can_expire(house: House, lease: Lease) -> None:
    house.provider.answer = held = Held()
    message_id = await house.send()
    async with owned(house, lease) as working:
        await (await house.provider.line()).come_up()
        await asyncio.wait_for(held.asked.wait(), SECONDS)
        await house.sessions.stop(house.call(), pb.StopSessionRequest(**NAMED))
        await asyncio.wait_for(working, SECONDS)
    assert (await house.message(message_id)).state == MessageState.STATE_UNCONFIRMED
    house.clock.ahead += timedelta(hours=25)
    assert await house.outbox.expire_overdue() == 1


async def test_a_restart_makes_the_line_anew(house: House, lease: Lease) -> None:
    async with connected(house, lease) as first:
        await house.sessions.restart(house.call(), pb.RestartSessionRequest(**NAMED))
        second = await house.provider.line(2)
        assert first.closed
        await second.come_up()
        await in_state(house, State.STATE_CONNECTED)
        assert not second.closed


async def test_a_session_that_is_logged_out_while_connected_is_unlinked_at_whatsapp(house: House, lease: Lease) -> None:
    async with owned(house, lease) as working:
        await (await house.provider.line()).come_up()
        await house.sessions.logout(house.call(), pb.LogoutSessionRequest(**NAMED))
        last = await house.provider.line(2)
        last.begin_to_tell(CONNECTED)
        await asyncio.wait_for(working, SECONDS)
    assert last.logged_out
    session = await house.session()
    assert (session.state, session.device, session.logout_wanted) == (State.STATE_LOGGED_OUT, None, False)


async def test_a_session_that_is_logged_out_while_disconnected_forgets_its_keys(house: House, lease: Lease) -> None:
    await house.lines.stopped(lease)
    waiting = await house.send()
    await house.sessions.logout(house.call(), pb.LogoutSessionRequest(**NAMED))
    async with owned(house, lease) as working:
        line = await house.provider.line()
        await line.tell(LineChanged(LineState.BLOCKED))
        await asyncio.wait_for(working, SECONDS)
    assert line.logged_out
    assert (await house.session()).state == State.STATE_LOGGED_OUT
    message = await house.message(waiting)
    assert message.failure is not None
    assert message.failure.reason == reasons.ERROR_REASON_SESSION_LOGGED_OUT


async def test_a_logout_whose_line_is_lost_is_done_with_the_next(house: House, lease: Lease) -> None:
    await house.sessions.logout(house.call(), pb.LogoutSessionRequest(**NAMED))
    async with owned(house, lease) as working:
        (await house.provider.line()).hang_up()
        line = await house.provider.line(2)
        line.begin_to_tell(CONNECTED)
        await asyncio.wait_for(working, SECONDS)
    assert line.logged_out


async def test_a_session_that_is_deleted_while_it_is_being_logged_out_loses_its_line(
    house: House, lease: Lease
) -> None:
    await house.sessions.logout(house.call(), pb.LogoutSessionRequest(**NAMED))
    async with owned(house, lease) as working:
        line = await house.provider.line()
        await house.sessions.delete(house.call(), pb.DeleteSessionRequest(session_id="sales", force=True))
        line.begin_to_tell(LineChanged(LineState.OPENING))
        await asyncio.wait_for(working, SECONDS)
    assert line.closed


async def test_the_phone_can_unlink_a_session_which_then_stays_logged_out_through_lost_lines(
    house: House, lease: Lease
) -> None:
    async with connected(house, lease) as line:
        await line.tell(LineChanged(LineState.LOGGED_OUT))
        told = await house.newest()
        line.hang_up()
        second = await house.provider.line(2)
        await second.tell(LineChanged(LineState.OPENING), LineChanged(LineState.UNLINKED))
        assert await states(house, after=told) == []
        assert (await house.session()).state == State.STATE_LOGGED_OUT


async def test_a_session_that_is_deleted_loses_its_line_and_is_not_heard_of_again(house: House, lease: Lease) -> None:
    async with owned(house, lease) as working:
        line = await house.provider.line()
        await line.come_up()
        await house.sessions.delete(house.call(), pb.DeleteSessionRequest(session_id="sales", force=True))
        told = await house.newest()
        await asyncio.wait_for(working, SECONDS)
    assert line.closed
    assert await house.newest() == told


async def test_a_line_that_is_lost_is_made_again_by_itself(house: House, lease: Lease) -> None:
    async with connected(house, lease) as line:
        told = await house.newest()
        line.hang_up()
        await (await house.provider.line(2)).come_up()
        await in_state(house, State.STATE_CONNECTED)
    (lost, *_) = await house.log("session.state_changed", after=told)
    status = lost.session_state_changed.status
    assert (status.state, status.failure.reason) == (State.STATE_RECONNECTING, reasons.ERROR_REASON_LINE_LOST)


async def test_while_no_line_can_be_opened_that_is_told_with_the_next_attempt_and_a_stop_is_heeded(
    house: House, lease: Lease
) -> None:
    house.provider.is_down = True
    async with owned(house, lease) as working:
        await in_state(house, State.STATE_RECONNECTING)
        assert (await house.session()).next_attempt_time is not None
        await eventually(lambda: house.provider.refused_openings >= 3)
        await house.sessions.stop(house.call(), pb.StopSessionRequest(**NAMED))
        await asyncio.wait_for(working, SECONDS)
    assert (await house.session()).state == State.STATE_STOPPED


async def test_a_crash_leaves_what_was_in_flight_unconfirmed_with_the_next_owner_and_says_that_there_is_no_line(
    house: House, lease: Lease
) -> None:
    message_id = await house.send()
    await house.outbox.begin(lease, message_id)
    taken = await another_owner_takes(house, lease)
    told = await house.newest()
    async with owned(house, taken):
        await house.provider.line()
        await message_in_state(house, message_id, MessageState.STATE_UNCONFIRMED)
    assert (await states(house, after=told))[0] == "STARTING"


async def test_an_attempt_at_pairing_anew_that_a_crash_cut_off_leaves_the_session_logged_out(
    house: House, lease: Lease
) -> None:
    await house.lines.logged_out(lease)
    await house.lines.pairing(lease)
    async with owned(house, await another_owner_takes(house, lease)):
        await house.provider.line()
        assert (await house.session()).state == State.STATE_LOGGED_OUT


async def test_an_owner_whose_lease_is_lost_closes_its_line_and_writes_nothing_more(house: House, lease: Lease) -> None:
    waiting = await house.send()
    async with owned(house, lease) as working:
        line = await house.provider.line()
        await another_owner_takes(house, lease)
        told = await house.newest()
        line.begin_to_tell(LineChanged(LineState.CONNECTED))
        await asyncio.wait_for(working, SECONDS)
    assert line.closed
    assert house.provider.handed == []
    assert await house.newest() == told
    assert (await house.message(waiting)).state == MessageState.STATE_QUEUED


async def test_an_owner_that_is_asked_to_end_closes_its_line_and_says_that_there_is_none(
    house: House, lease: Lease
) -> None:
    async with connected(house, lease) as line:
        await in_state(house, State.STATE_CONNECTED)
    assert line.closed
    assert (await house.session()).state == State.STATE_STARTING


@pytest.mark.parametrize("expected", ["", "+4915199999999"])
async def test_a_session_that_was_linked_once_may_be_linked_to_the_same_account_only(
    house: House, lease: Lease, expected: str
) -> None:
    wish = session_pb2.Session(session_id="sales", spec=session_pb2.SessionSpec(expected_phone_number=expected))
    await house.sessions.update(house.call(), pb.UpdateSessionRequest(session=wish))
    await house.lines.logged_out(lease)
    account = await house.whose((await house.session()).account_id)
    assert account is not None
    async with owned(house, lease):
        line = await house.provider.line()
        assert line.opening.expected_phone_number == (expected or account.phone_number)


async def test_a_line_is_told_how_long_the_lease_really_lasts(house: House, lease: Lease) -> None:
    ttl = timedelta(seconds=30)
    async with owned(house, lease, tools_of(house, ttl=ttl)):
        line = await house.provider.line()
        assert ttl - timedelta(seconds=SECONDS) < line.opening.remaining < ttl


async def test_a_line_that_is_told_twice_of_one_message_stores_it_once(house: House, lease: Lease) -> None:
    fact = says("Good day", place(person("200@lid")))
    async with connected(house, lease) as line:
        assert await line.tell(fact, fact)
    assert len(await house.all_messages()) == 1


async def test_the_device_that_a_line_came_up_with_is_the_sessions(house: House) -> None:
    lease = await never_paired(house)
    async with connected(house, lease):
        session = await house.session()
        assert (session.device, session.state) == (DEVICE, State.STATE_CONNECTED)
    account = await house.whose((await house.session()).account_id)
    assert account is not None
    assert (account.lid, account.display_name) == (DEVICE.lid, "Shop")
