"""What a line tells: settled once it is stored, and never before."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import (
    LineChanged,
    LineState,
    MessageArrived,
    NamesLearned,
    OfflineSync,
    Party,
    ReceiptArrived,
    ReceiptKind,
)
from gateway.domain.messages import Level, State
from gateway.ports.unit_of_work import UnitOfWork
from tests.stage.waiting import SECONDS, eventually
from tests.unit.services.house import House, text
from tests.unit.services.telling import PHONE, now, person, place, says, says_the_unreadable
from tests.unit.workers.crew import connected, message_in_state, owned
from tests.unit.workers.scripted_provider import CONNECTED

ADA = person("200@lid", PHONE)


async def test_every_sort_of_fact_is_stored_and_settled(house: House, lease: Lease) -> None:
    message_id = await house.send(to=PHONE)
    async with connected(house, lease) as line:
        await message_in_state(house, message_id, State.STATE_SENT)
        where, unread = place(ADA), place(ADA)
        provider_id = (await house.message(message_id)).provider_message_id
        assert await line.tell(
            says("Good day", where),
            says_the_unreadable(unread),
            says("Good evening", unread),
            NamesLearned(Names("201@lid", "+4915100000012")),
            ReceiptArrived(ADA, ADA, (provider_id,), ReceiptKind.READ, now()),
        )
    kinds = [event.kind for event in await house.log()]
    assert {"message.received", "message.undecryptable", "message.resolved"} < set(kinds)
    assert (await house.message(message_id)).reach.furthest == Level.LEVEL_READ
    assert await house.whose("201@lid")


async def test_nothing_is_settled_before_its_commit(house: House, lease: Lease) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def hold(_: UnitOfWork) -> None:
        entered.set()
        await leave.wait()

    async with connected(house, lease) as line:
        holding = asyncio.create_task(house.store.write(hold))
        await entered.wait()
        stored = line.begin_to_tell(says("Good day", place(ADA)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(stored), 0.2)
        leave.set()
        await holding
        assert await asyncio.wait_for(stored, SECONDS)
    assert len(await house.all_messages()) == 1


async def test_what_was_told_ahead_of_a_refusal_is_refused_with_it_so_that_the_order_holds(
    house: House, lease: Lease
) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def hold(_: UnitOfWork) -> None:
        entered.set()
        await leave.wait()

    broken = MessageArrived(replace(place(ADA), chat=Party(), sender=Party()), None)  # type: ignore[arg-type]
    async with connected(house, lease) as line:
        holding = asyncio.create_task(house.store.write(hold))
        await entered.wait()
        told = []
        for fact in (broken, says("behind it", place(ADA))):
            told.append(line.begin_to_tell(fact))
            await eventually(lambda: not line.is_telling)
        leave.set()
        await holding
        assert [await asyncio.wait_for(each, SECONDS) for each in told] == [False, False]
        assert await line.tell(says("behind it", place(ADA)))
    assert len(await house.all_messages()) == 1


async def test_what_cannot_be_stored_is_refused_and_the_line_goes_on(house: House, lease: Lease) -> None:
    nowhere = replace(place(ADA), chat=Party(), sender=Party())
    broken = MessageArrived(nowhere, None)  # type: ignore[arg-type]
    async with connected(house, lease) as line:
        assert not await line.tell(broken)
        assert await line.tell(says("Good day", place(ADA)))
    assert [message.content for message in await house.all_messages()] == [text("Good day")]


async def test_messages_told_behind_each_other_share_a_commit(house: House, lease: Lease) -> None:
    async with connected(house, lease) as line:
        told = [line.begin_to_tell(says(f"message {number}", place(ADA))) for number in range(20)]
        assert all([await asyncio.wait_for(each, SECONDS) for each in told])
    messages = await house.all_messages()
    assert [message.content for message in messages] == [text(f"message {number}") for number in range(20)]
    assert len({message.create_time.ToNanoseconds() for message in messages}) <= 2


async def test_what_follows_a_refusal_is_refused_and_what_came_before_it_is_stored(house: House, lease: Lease) -> None:
    nowhere = replace(place(ADA), chat=Party(), sender=Party())
    broken = MessageArrived(nowhere, None)  # type: ignore[arg-type]
    async with connected(house, lease) as line:
        facts = (says("first", place(ADA)), broken, says("behind it", place(ADA)), CONNECTED)
        told = [line.begin_to_tell(fact) for fact in facts]
        assert [await asyncio.wait_for(each, SECONDS) for each in told] == [True, False, False, True]
        assert await line.tell(says("behind it", place(ADA)))
    texts = [message.content.text.text for message in await house.all_messages()]
    assert texts == ["first", "behind it"]


async def test_having_been_away_is_told_once_with_what_waited(house: House, lease: Lease) -> None:
    async with connected(house, lease) as line:
        before = house.clock.now()
        await line.tell(LineChanged(LineState.RECONNECTING), CONNECTED)
        await line.tell(OfflineSync(completed=False), replace(says("Good day", place(ADA))))
        await line.tell(OfflineSync(completed=True, item_count=1), OfflineSync(completed=True))
    (gap,) = [event.offline_gap for event in await house.log("offline.gap")]
    assert gap.item_count == 1
    assert gap.from_time.ToDatetime(before.tzinfo) >= before - timedelta(seconds=1)
    assert gap.from_time.ToDatetime(before.tzinfo) <= gap.to_time.ToDatetime(before.tzinfo)


async def test_the_first_login_of_a_line_that_was_never_away_is_no_gap(house: House) -> None:
    await house.create()
    (lease,) = await house.leases.claim("w_test", limit=1, ttl=timedelta(days=1))
    async with connected(house, lease):
        assert await house.log("offline.gap") == []


async def test_a_line_that_closes_sends_nothing_more(house: House, lease: Lease) -> None:
    async with owned(house, lease):
        line = await house.provider.line()
        await line.come_up()
        await line.tell(LineChanged(LineState.CLOSED))
        message_id = await house.send()
        line.hang_up()
        second = await house.provider.line(2)
        assert (await house.message(message_id)).state == State.STATE_QUEUED
        await second.come_up()
        await message_in_state(house, message_id, State.STATE_SENT)
