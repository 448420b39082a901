"""A fault at each step of sending: one row, one event for each step, one id, and the right end."""

from __future__ import annotations

import asyncio

import pytest

from gateway.domain.errors import StoreUnavailable
from gateway.domain.leases import Lease
from gateway.domain.lines import Outgoing, SendOutcome
from gateway.domain.messages import State
from gateway.ports.provider import LineGone
from gateway.workers.session_owner import SessionOwner
from tests.stage.faulty.plan import Fault
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House, a_send
from tests.unit.workers.crew import message_in_state
from tests.unit.workers.faulty_house import FaultyHouse
from tests.unit.workers.scripted_provider import CONNECTED, at_once

NOT_DONE, ANSWER_LOST = Fault.NOT_DONE, Fault.ANSWER_LOST


@pytest.fixture
def faulty(house: House) -> FaultyHouse:
    return FaultyHouse(house)


@pytest.mark.usefixtures("lease")
@pytest.mark.parametrize("fault", Fault)
async def test_what_was_perhaps_accepted_is_accepted_once_by_the_same_call_again(
    faulty: FaultyHouse, fault: Fault
) -> None:
    request = a_send("Good morning", request_id="once")
    faulty.store.plan.strike("Messages.send", fault)
    with pytest.raises(StoreUnavailable):
        await faulty.busy.messages.send(faulty.calm.call(), request)
    again = await faulty.busy.messages.send(faulty.calm.call(), request)
    assert again.repeated_request == (fault is ANSWER_LOST)
    assert len(await faulty.calm.all_messages()) == len(await faulty.calm.log("message.accepted")) == 1


@pytest.mark.parametrize(
    ("call", "fault", "steps"),
    [
        ("Outbox.begin", NOT_DONE, ["SENDING", "SENT"]),
        ("Outbox.begin", ANSWER_LOST, ["SENDING", "QUEUED", "SENDING", "SENT"]),
        ("Outbox.finish", NOT_DONE, ["SENDING", "SENT"]),
        ("Outbox.finish", ANSWER_LOST, ["SENDING", "SENT"]),
    ],
)
async def test_a_step_that_is_perhaps_not_stored_is_told_once_and_one_copy_leaves(
    faulty: FaultyHouse, lease: Lease, call: str, fault: Fault, steps: list[str]
) -> None:
    faulty.store.plan.strike(call, fault)
    async with faulty.connected(lease):
        message_id = await faulty.calm.send()
        second = await faulty.calm.send("Good night")
        await message_in_state(faulty.calm, second, State.STATE_SENT)
    assert faulty.store.plan.is_over
    assert faulty.copies() == ["Good morning", "Good night"]
    assert await faulty.calm.states(message_id) == steps


async def test_what_did_not_leave_because_the_line_was_down_leaves_in_its_place(
    faulty: FaultyHouse, lease: Lease
) -> None:
    faulty.provider.plan.strike("send", NOT_DONE, number=2)
    async with faulty.connected(lease):
        sent = [await faulty.calm.send(words) for words in ("first", "second", "third")]
        await message_in_state(faulty.calm, sent[-1], State.STATE_SENT)
    assert faulty.copies() == ["first", "second", "third"]
    assert await faulty.calm.states(sent[1]) == ["SENDING", "QUEUED", "SENDING", "SENT"]


async def test_what_did_not_leave_because_the_line_was_gone_leaves_through_the_next(
    faulty: FaultyHouse, lease: Lease
) -> None:
    faulty.provider.failure = LineGone
    faulty.provider.plan.strike("send", NOT_DONE)
    async with faulty.connected(lease):
        message_id = await faulty.calm.send()
        await faulty.come_up_again(2)
        await message_in_state(faulty.calm, message_id, State.STATE_SENT)
    assert faulty.copies() == ["Good morning"]
    assert await faulty.calm.states(message_id) == ["SENDING", "QUEUED", "SENDING", "SENT"]


async def test_an_outcome_that_was_lost_on_its_way_is_unconfirmed_and_repeated_under_the_same_id(
    faulty: FaultyHouse, lease: Lease
) -> None:
    faulty.provider.plan.strike("send", ANSWER_LOST)
    async with faulty.connected(lease) as line:
        message_id = await faulty.calm.send()
        await message_in_state(faulty.calm, message_id, State.STATE_UNCONFIRMED)
        line.hang_up()
        await faulty.come_up_again(2)
        await message_in_state(faulty.calm, message_id, State.STATE_SENT)
    assert faulty.copies() == ["Good morning", "Good morning"]
    assert len(faulty.provider_ids()) == 1
    assert await faulty.calm.states(message_id) == ["SENDING", "UNCONFIRMED", "SENDING", "SENT"]


async def test_after_an_unforeseen_fault_nobody_knows_whether_it_left(faulty: FaultyHouse, lease: Lease) -> None:
    async def break_once(_message: Outgoing) -> SendOutcome:
        faulty.calm.provider.answer = at_once
        raise ZeroDivisionError

    faulty.calm.provider.answer = break_once
    message_id = await faulty.calm.send()
    working = asyncio.create_task(SessionOwner(lease, faulty.tools()).run())
    (await faulty.calm.provider.line()).begin_to_tell(CONNECTED)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(working, SECONDS)
    async with faulty.taken_over(lease):
        await message_in_state(faulty.calm, message_id, State.STATE_SENT)
    assert await faulty.calm.states(message_id) == ["SENDING", "UNCONFIRMED", "SENDING", "SENT"]
    assert len(faulty.provider_ids()) == 1


@pytest.mark.parametrize("call", ["Outbox.begin", "Outbox.finish"])
async def test_an_owner_that_ends_between_two_steps_leaves_what_the_next_can_go_on_with(
    faulty: FaultyHouse, lease: Lease, call: str
) -> None:
    faulty.store.plan.strike(call, NOT_DONE, times=100)
    message_id = await faulty.calm.send()
    async with faulty.connected(lease):
        await eventually(lambda: call in faulty.store.plan.struck)
    left = len(faulty.copies())
    faulty.store.plan.clear()
    async with faulty.taken_over(lease):
        await message_in_state(faulty.calm, message_id, State.STATE_SENT)
    assert len(faulty.copies()) == left + 1
    assert len(faulty.provider_ids()) == 1
