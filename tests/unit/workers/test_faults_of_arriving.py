"""A fault at each step of taking in: what WhatsApp tells is stored once, told once, and only then confirmed."""

from __future__ import annotations

import pytest

from gateway.domain.leases import Lease
from gateway.domain.lines import Fact, LineChanged, LineState, ReceiptArrived, ReceiptKind
from gateway.domain.messages import Level, State
from tests.stage.faulty.plan import Fault
from tests.stage.waiting import eventually
from tests.unit.services.house import House
from tests.unit.services.telling import PHONE, now, person, place, says, says_the_unreadable
from tests.unit.workers.crew import message_in_state
from tests.unit.workers.faulty_house import FaultyHouse

ADA = person("200@lid", PHONE)
UNREADABLE = says_the_unreadable(place(ADA))
FACTS: dict[str, tuple[str, Fact]] = {
    "Inbox.messages": ("message.received", says("Good day", place(ADA))),
    "Inbox.undecryptable": ("message.undecryptable", UNREADABLE),
    "Lines._change": ("session.state_changed", LineChanged(LineState.DEGRADED)),
}


@pytest.fixture
def faulty(house: House) -> FaultyHouse:
    return FaultyHouse(house)


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("writer", FACTS)
async def test_what_is_perhaps_not_stored_is_refused_and_told_once_however_often_it_comes_again(
    faulty: FaultyHouse, lease: Lease, writer: str, fault: Fault
) -> None:
    kind, fact = FACTS[writer]
    async with faulty.connected(lease) as line:
        before = await faulty.calm.newest()
        faulty.store.plan.strike(writer, fault)
        assert not await line.tell(fact)
        assert await line.tell(fact, fact)
        told = await faulty.calm.log(kind, after=before)
    assert faulty.store.plan.is_over
    assert len(told) == 1


@pytest.mark.parametrize("fault", Fault)
async def test_a_placeholder_is_completed_once(faulty: FaultyHouse, lease: Lease, fault: Fault) -> None:
    async with faulty.connected(lease) as line:
        assert await line.tell(UNREADABLE)
        faulty.store.plan.strike("Inbox.messages", fault)
        plain = says("Good night", UNREADABLE.place)
        assert not await line.tell(plain)
        assert await line.tell(plain, UNREADABLE, plain)
    assert len(await faulty.calm.log("message.resolved")) == 1
    assert [message.content.text.text for message in await faulty.calm.all_messages()] == ["Good night"]


@pytest.mark.parametrize("fault", Fault)
async def test_the_steps_of_a_receipt_are_told_once_and_in_order(
    faulty: FaultyHouse, lease: Lease, fault: Fault
) -> None:
    async with faulty.connected(lease) as line:
        message_id = await faulty.calm.send(to=PHONE)
        await message_in_state(faulty.calm, message_id, State.STATE_SENT)
        provider_id = (await faulty.calm.message(message_id)).provider_message_id
        receipt = ReceiptArrived(ADA, ADA, (provider_id,), ReceiptKind.READ, now())
        faulty.store.plan.strike("Receipts.take", fault)
        assert not await line.tell(receipt)
        assert await line.tell(receipt, receipt)
    reached = [step.reach.furthest for step in await faulty.calm.steps(message_id)]
    assert [level for level in reached if level] == [Level.LEVEL_DELIVERED, Level.LEVEL_READ]


@pytest.mark.parametrize("fault", Fault)
async def test_what_is_stored_and_perhaps_not_confirmed_comes_again_through_the_next_line_and_is_no_news(
    faulty: FaultyHouse, lease: Lease, fault: Fault
) -> None:
    message = says("Good day", place(ADA))
    async with faulty.connected(lease) as line:
        faulty.provider.plan.strike("settle", fault)
        line.begin_to_tell(message)
        again = await faulty.come_up_again(2)
        assert await again.tell(message)
    assert len(await faulty.calm.log("message.received")) == len(await faulty.calm.all_messages()) == 1


async def test_an_owner_that_ends_before_it_confirms_leaves_it_to_the_next(faulty: FaultyHouse, lease: Lease) -> None:
    message = says("Good day", place(ADA))
    async with faulty.connected(lease) as line:
        faulty.store.plan.strike("Inbox.messages", Fault.ANSWER_LOST)
        stored = line.begin_to_tell(message)
        await eventually(lambda: faulty.store.plan.is_over)
    assert not (stored.done() and stored.result())
    async with faulty.taken_over(lease) as line:
        assert await line.tell(message)
    assert len(await faulty.calm.log("message.received")) == 1
