"""What is old goes, the oldest first; what is not at an end stays, and the log knows where it begins."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial

import pytest

from gateway.domain.messages import Message, Receipt, State
from gateway.domain.requests import RequestKey, RequestRecord
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import LogEnds, MessageFilter, Store, UnitOfWork
from tests.conformance.store.making import TENANT, at, message, stored, stored_session, told
from tests.conformance.store.stage import NOON, Stage
from tests.conformance.store.test_events import log


async def forget_events(store: Store, before: datetime, limit: int = 1000) -> int:
    return await store.write(lambda unit: unit.past.forget_events(before, limit))


async def forget_messages(store: Store, before: datetime, limit: int = 1000) -> int:
    return await store.write(lambda unit: unit.past.forget_messages(before, limit))


async def ends(store: Store, tenant_id: str = TENANT) -> LogEnds:
    return await store.read(lambda unit: unit.events.ends(tenant_id))


async def kept(store: Store) -> set[str]:
    page = await store.read(lambda unit: unit.messages.page(TENANT, MessageFilter(), before_ordinal=None, limit=1000))
    return {one.message_id for one in page}


async def told_by_the_day(stage: Stage, days: int, session: Session | None = None) -> None:
    """Tell two events on each of some days, the first of which is there already; end on the day after."""
    for _ in range(days):
        await stage.store.tidy()
        await told(stage.store, 2, session)
        stage.clock.move(days=1)
    await stage.store.tidy()


def day(number: int) -> datetime:
    """Noon of a day; NOON is that of day 0."""
    return at(24 * number)


async def test_what_is_forgotten_is_refused_before_it_is_gone(stage: Stage) -> None:
    await told_by_the_day(stage, 3)
    before = await log(stage.store)
    await forget_events(stage.store, day(2))
    assert (await ends(stage.store)).oldest == before[3].position
    assert await log(stage.store, position=before[3].position) == before[4:]


async def test_a_log_of_many_days_goes_on_whoever_tidies_it_up_and_when(stage: Stage) -> None:
    session = await stored_session(stage.store)
    for number in range(8):
        await told(stage.store, 3, session)
        stage.clock.move(days=1 if number % 3 else 5)
        if number % 2:
            await asyncio.gather(*(stage.store.tidy() for _ in range(2)))
    events = await log(stage.store)
    assert [event.sequence for event in events] == list(range(1, 25))
    for place in (0, 7, 22):
        assert await log(stage.store, position=events[place].position) == events[place + 1 :]


async def test_events_from_before_a_moment_go_and_the_others_stay(stage: Stage) -> None:
    await told_by_the_day(stage, 6)
    before = await log(stage.store)
    assert await forget_events(stage.store, day(3)) > 0
    await stage.store.tidy()
    assert await log(stage.store) == before[6:]
    assert await forget_events(stage.store, day(3)) == 0


async def test_events_go_a_little_at_a_time_and_the_oldest_first(stage: Stage) -> None:
    await told_by_the_day(stage, 6)
    before = await log(stage.store)
    while await forget_events(stage.store, day(3), limit=4):
        await stage.store.tidy()
        left = await log(stage.store)
        assert left == before[-len(left) :]
    assert await log(stage.store) == before[6:]


async def test_the_log_begins_behind_what_was_forgotten(stage: Stage) -> None:
    await told_by_the_day(stage, 4)
    before = await log(stage.store)
    await forget_events(stage.store, day(2))
    await stage.store.tidy()
    found = await ends(stage.store)
    assert (found.oldest, found.newest) == (before[3].position, before[-1].position)
    assert (found.oldest_time, found.newest_time) == (day(2), day(3))


async def test_a_log_that_was_emptied_knows_where_it_begins_and_goes_on_there(stage: Stage) -> None:
    session = await stored_session(stage.store)
    await told_by_the_day(stage, 2, session)
    last = (await log(stage.store))[-1]
    await forget_events(stage.store, day(5))
    await stage.store.tidy()
    assert await log(stage.store) == []
    assert await ends(stage.store) == LogEnds(last.position, last.position)
    assert await stage.store.read(lambda unit: unit.events.newest()) >= last.position
    assert await stage.store.read(lambda unit: unit.events.position_before(TENANT, NOON)) == last.position
    await told(stage.store, 1, session)
    (next_one,) = await log(stage.store)
    assert next_one.position > last.position
    assert next_one.sequence == last.sequence + 1


async def test_each_tenants_log_begins_where_its_own_events_went(stage: Stage) -> None:
    await stage.store.tidy()
    await told(stage.store, 2)
    await told(stage.store, 1, tenant_id="other")
    (theirs,) = await log(stage.store, "other")
    stage.clock.move(days=1)
    await told(stage.store, 1, tenant_id="third")
    ours = await log(stage.store)
    await forget_events(stage.store, day(1))
    assert (await ends(stage.store)).oldest == ours[-1].position
    assert (await ends(stage.store, "other")).oldest == theirs.position
    assert (await ends(stage.store, "third")).oldest == 0


async def test_a_unit_that_fails_forgets_nothing(stage: Stage) -> None:
    session = await stored_session(stage.store)
    await stored(stage.store, message(session, state=State.STATE_SENT))
    await told_by_the_day(stage, 2)
    before = await log(stage.store), await ends(stage.store), await kept(stage.store)

    async def forget_and_fail(unit: UnitOfWork) -> None:
        await unit.past.forget_events(day(5), 10)
        await unit.past.forget_messages(at(5), 10)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await stage.store.write(forget_and_fail)
    assert (await log(stage.store), await ends(stage.store), await kept(stage.store)) == before


STATES = [number for number in State.values() if number != State.STATE_UNSPECIFIED]


async def test_old_messages_go_with_their_receipts_but_those_that_wait_stay(stage: Stage) -> None:
    session = await stored_session(stage.store)
    old = [message(session, state=state, provider_message_id=f"A{state}") for state in STATES]
    young = message(session, state=State.STATE_SENT, create_time=at(2))
    await stored(stage.store, *old, young)
    receipts = [Receipt(TENANT, one.message_id, "p_ada", deliver_time=NOON) for one in [*old, young]]
    for receipt in receipts:
        await stage.store.write(partial(save_receipt, receipt))
    waiting = {one.message_id for one in old if one.state in {2, 3, 4}}
    assert await forget_messages(stage.store, at(1)) == len(old) - len(waiting)
    assert await kept(stage.store) == {young.message_id, *waiting}
    assert [one.message_id for one in receipts if await has_receipt(stage.store, one)] == [
        one.message_id for one in [*old, young] if one.message_id in {young.message_id, *waiting}
    ]


async def save_receipt(receipt: Receipt, unit: UnitOfWork) -> None:
    await unit.receipts.save(receipt)


async def has_receipt(store: Store, receipt: Receipt) -> bool:
    return await store.read(lambda unit: unit.receipts.get(receipt.message_id, receipt.participant_id)) is not None


async def test_messages_that_wait_do_not_keep_those_behind_them_from_going(stage: Stage) -> None:
    session = await stored_session(stage.store)
    waiting = [message(session) for _ in range(5)]
    await stored(stage.store, *waiting, *(message(session, state=State.STATE_SENT) for _ in range(7)))
    assert [await forget_messages(stage.store, at(1), limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert await kept(stage.store) == {one.message_id for one in waiting}


async def test_a_message_that_is_forgotten_is_not_found_under_any_name(stage: Stage) -> None:
    session = await stored_session(stage.store)
    old = message(session, state=State.STATE_RECEIVED, provider_message_id="3A", sender_id="p_ada")
    await stored(stage.store, old)
    assert await found(stage.store, session, old) == [True, True, True]
    await forget_messages(stage.store, at(1))
    assert await found(stage.store, session, old) == [False, False, False]
    await stored(stage.store, message(session, state=State.STATE_RECEIVED, provider_message_id="3A", sender_id="p_ada"))


async def found(store: Store, session: Session, one: Message) -> list[bool]:
    by_id = await store.read(lambda unit: unit.messages.get(TENANT, one.message_id))
    by_key = await store.read(
        lambda unit: unit.messages.find_inbound(session.uid, one.chat_id, one.sender_id, one.provider_message_id, "")
    )
    in_chat = await store.read(
        lambda unit: unit.messages.find_in_chat(session.uid, one.chat_id, one.provider_message_id)
    )
    return [by_id is not None, by_key is not None, in_chat is not None]


async def test_what_a_unit_forgot_is_gone_for_those_behind_it_in_its_group(stage: Stage) -> None:
    session = await stored_session(stage.store)
    old = message(session, state=State.STATE_SENT)
    await stored(stage.store, old)

    async def look_forget_look(unit: UnitOfWork) -> list[bool]:
        before = await unit.messages.get(TENANT, old.message_id)
        await unit.past.forget_messages(at(1), 10)
        after = await unit.messages.get(TENANT, old.message_id)
        return [before is not None, after is not None]

    assert await stage.store.write(look_forget_look) == [True, False]


async def test_request_ids_are_forgotten_by_their_age(stage: Stage) -> None:
    keys = [RequestKey(TENANT, "SendMessage", "sales", f"r-{number}") for number in range(4)]

    async def add(unit: UnitOfWork) -> None:
        for number, key in enumerate(keys):
            await unit.requests.add(RequestRecord(key, b"f", "m_1", at(number)))

    async def known(unit: UnitOfWork) -> list[bool]:
        return [await unit.requests.find(key) is not None for key in keys]

    await stage.store.write(add)
    assert await stage.store.write(lambda unit: unit.past.forget_requests(at(2), 10)) == 2
    assert await stage.store.read(known) == [False, False, True, True]
