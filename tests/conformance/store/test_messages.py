from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from gateway.domain.messages import Direction, Hold, HoldKind, Level, Message, Reach, State
from gateway.ports.unit_of_work import MessageFilter, Store, UnitOfWork
from tests.conformance.store.making import TENANT, at, ids, message, stored, stored_session, text
from tests.conformance.store.stage import NOON
from wagate.v1.error_reason_pb2 import ErrorReason, Failure


async def test_a_message_comes_back_as_it_was_stored_with_an_ordinal(store: Store) -> None:
    session = await stored_session(store)
    whole = message(
        session,
        provider_message_id="3EB0",
        edit="1",
        next_attempt_time=at(1),
        send_time=at(2),
        failure=Failure(reason=ErrorReason.ERROR_REASON_SHUTTING_DOWN, message="no"),
        hold=Hold(HoldKind.KIND_SESSION, at(3)),
        reach=Reach(Level.LEVEL_READ, 3, 2, 1, 0),
        revision=7,
        metadata={"order": "42"},
        request_id="r1",
        correlation_id="c1",
        attempt_count=1,
        refusal_count=2,
        repeat_count=3,
        retry_of_message_id="m_old",
    )
    await stored(store, whole)
    back = await store.read(lambda unit: unit.messages.get(TENANT, whole.message_id))
    assert back is not None
    assert back.ordinal > 0
    whole.ordinal = back.ordinal
    assert back == whole


async def test_ordinals_follow_the_order_of_acceptance(store: Store) -> None:
    session = await stored_session(store)
    some = [message(session) for _ in range(5)]
    await stored(store, *some)
    unsent = await store.read(lambda unit: unit.messages.unsent(session.uid, limit=10))
    assert ids(unsent) == ids(some)
    assert sorted({one.ordinal for one in unsent}) == [one.ordinal for one in unsent]
    rest = await store.read(lambda unit: unit.messages.unsent(session.uid, after=unsent[1], limit=2))
    assert ids(rest) == ids(some[2:4])


async def test_a_message_of_another_tenant_is_not_found(store: Store) -> None:
    session = await stored_session(store, tenant_id="other")
    foreign = message(session)
    await stored(store, foreign)
    assert await store.read(lambda unit: unit.messages.get(TENANT, foreign.message_id)) is None


async def test_a_message_is_found_by_its_natural_key_in_the_unit_that_stored_it_and_later(store: Store) -> None:
    session = await stored_session(store)
    one = message(session, "p_bea", sender_id="p_bea", provider_message_id="AB12", edit="")

    async def find(unit: UnitOfWork, **changes: Any) -> str | None:
        key = {"chat_id": "p_bea", "sender_id": "p_bea", "provider_message_id": "AB12", "edit": ""} | changes
        found = await unit.messages.find_inbound(session.uid, **key)
        return found.message_id if found else None

    async def add_and_find(unit: UnitOfWork) -> str | None:
        assert await find(unit) is None
        await unit.messages.add(one)
        return await find(unit)

    assert await store.write(add_and_find) == one.message_id
    assert await store.read(find) == one.message_id
    for change in ({"chat_id": "p_x"}, {"sender_id": "p_x"}, {"provider_message_id": "CD"}, {"edit": "7"}):
        assert await store.read(lambda unit, change=change: find(unit, **change)) is None  # type: ignore[misc]


async def test_the_natural_key_is_unique_and_messages_without_a_providers_id_have_none(store: Store) -> None:
    session = await stored_session(store)
    await stored(store, message(session), message(session))
    await stored(store, message(session, provider_message_id="AB12"))
    with pytest.raises(Exception, match="provider_message_id"):
        await stored(store, message(session, provider_message_id="AB12"))


async def test_sent_messages_are_found_by_the_providers_ids(store: Store) -> None:
    session = await stored_session(store)
    out = [message(session, provider_message_id=f"ID{n}") for n in range(4)]
    inbound = message(session, provider_message_id="ID9", direction=Direction.DIRECTION_INBOUND)
    await stored(store, *out, inbound)
    found = await store.read(lambda unit: unit.messages.find_sent(session.uid, ["ID3", "ID1", "ID9", "none", ""]))
    assert ids(found) == ids([out[1], out[3]])


async def test_the_oldest_of_a_chat_answers_to_a_repeated_id(store: Store) -> None:
    session = await stored_session(store)
    first = message(session, "g1", sender_id="p_a", provider_message_id="SAME")
    second = message(session, "g1", sender_id="p_b", provider_message_id="SAME")
    await stored(store, first, second)
    found = await store.read(lambda unit: unit.messages.find_in_chat(session.uid, "g1", "SAME"))
    assert found is not None
    assert found.message_id == first.message_id
    assert await store.read(lambda unit: unit.messages.find_in_chat(session.uid, "g2", "SAME")) is None


async def test_a_page_shows_the_newest_first_and_what_the_filter_asks_for(store: Store) -> None:
    sales, help_desk = await stored_session(store, "sales"), await stored_session(store, "help")
    one = message(sales, "p_ada")
    two = message(help_desk, "p_ada", state=State.STATE_SENT)
    three = message(sales, "p_bea", direction=Direction.DIRECTION_INBOUND, state=State.STATE_RECEIVED)
    await stored(store, one, two, three)

    async def page(before: int | None = None, limit: int = 10, **which: Any) -> list[Message]:
        return await store.read(
            lambda unit: unit.messages.page(TENANT, MessageFilter(**which), before_ordinal=before, limit=limit)
        )

    newest_first = await page()
    assert ids(newest_first) == ids([three, two, one])
    assert ids(await page(limit=2)) == ids([three, two])
    assert ids(await page(before=newest_first[0].ordinal)) == ids([two, one])
    assert ids(await page(session=sales)) == ids([three, one])
    assert ids(await page(chat_id="p_ada")) == ids([two, one])
    assert ids(await page(direction=Direction.DIRECTION_INBOUND)) == ids([three])
    assert ids(await page(states=(State.STATE_SENT, State.STATE_QUEUED))) == ids([two, one])
    assert ids(await page(session=sales, chat_id="p_ada", states=(State.STATE_QUEUED,))) == ids([one])
    assert await page(before=0) == []


async def heads(store: Store, uid: str, now: datetime = NOON) -> list[str]:
    return ids(await store.read(lambda unit: unit.messages.chat_heads(uid, now)))


async def test_the_front_is_of_each_chat_the_first_that_was_due(store: Store) -> None:
    session, other = await stored_session(store), await stored_session(store, "other")
    late = message(session, "p_a", due_time=at(2))
    early = message(session, "p_a", due_time=at(1))
    same = message(session, "p_b", due_time=at(1))
    behind = message(session, "p_b", due_time=at(1))
    sent = message(session, "p_c", state=State.STATE_SENT)
    await stored(store, late, early, same, behind, sent, message(other, "p_d"))
    assert await heads(store, session.uid) == ids([early, same])


async def test_a_queued_message_that_pauses_is_passed_over(store: Store) -> None:
    session = await stored_session(store)
    pausing = message(session, next_attempt_time=at(1))
    behind = message(session)
    unconfirmed = message(session, "p_b", state=State.STATE_UNCONFIRMED, next_attempt_time=at(1))
    await stored(store, pausing, behind, unconfirmed)
    assert await heads(store, session.uid) == ids([behind, unconfirmed])
    assert await heads(store, session.uid, at(1)) == ids([pausing, unconfirmed])


async def test_what_is_overdue_is_queued_or_unconfirmed_and_past_its_time(store: Store) -> None:
    session = await stored_session(store)
    first = message(session, give_up_time=at(1))
    later = message(session, give_up_time=at(2), state=State.STATE_UNCONFIRMED)
    await stored(
        store,
        later,
        first,
        message(session, give_up_time=at(3)),
        message(session, give_up_time=at(1), state=State.STATE_SENDING),
        message(session, give_up_time=at(1), state=State.STATE_SENT),
        message(session, give_up_time=None),
    )
    assert ids(await store.read(lambda unit: unit.messages.overdue(at(2), 10))) == ids([first, later])
    assert ids(await store.read(lambda unit: unit.messages.overdue(at(2), 1))) == ids([first])


async def test_a_saved_message_leaves_the_outbox(store: Store) -> None:
    session = await stored_session(store)
    one, two = message(session), message(session)
    await stored(store, one, two)

    async def send_first(unit: UnitOfWork) -> list[str]:
        found = (await unit.messages.chat_heads(session.uid, unit.now))[0]
        found.move(State.STATE_SENDING)
        found.move(State.STATE_SENT)
        await unit.messages.save(found)
        return ids(await unit.messages.chat_heads(session.uid, unit.now))

    assert await store.write(send_first) == [two.message_id]
    sent = await store.read(lambda unit: unit.messages.get(TENANT, one.message_id))
    assert sent is not None
    assert (sent.state, sent.content) == (State.STATE_SENT, text())


async def test_a_message_that_was_never_added_cannot_be_saved(store: Store) -> None:
    session = await stored_session(store)
    with pytest.raises(LookupError):
        await store.write(lambda unit: unit.messages.save(message(session)))


async def test_messages_move_as_chat_and_as_sender(store: Store) -> None:
    session = await stored_session(store)
    chat = message(session, "p_old", provider_message_id="A1")
    sender = message(session, "g1", sender_id="p_old", provider_message_id="A2")
    both = message(session, "p_old", sender_id="p_old", provider_message_id="A3")
    other = message(session, "p_else", sender_id="p_else", provider_message_id="A4")
    await stored(store, chat, sender, both, other)

    async def move(unit: UnitOfWork) -> list[tuple[str, str]]:
        await unit.messages.move_chat(TENANT, "p_old", "p_new")
        some = [await unit.messages.get(TENANT, one.message_id) for one in (chat, sender, both, other)]
        return [(one.chat_id, one.sender_id) for one in some if one]

    moved = [("p_new", "p_own"), ("g1", "p_new"), ("p_new", "p_new"), ("p_else", "p_else")]
    assert await store.write(move) == moved
    found = await store.read(lambda unit: unit.messages.find_inbound(session.uid, "p_new", "p_new", "A3", ""))
    assert found is not None
    assert found.message_id == both.message_id


async def test_of_a_message_known_under_both_names_the_first_answers_after_the_move(store: Store) -> None:
    session = await stored_session(store)
    first = message(session, "p_new", sender_id="p_new", provider_message_id="A1")
    second = message(session, "p_old", sender_id="p_old", provider_message_id="A1")
    await stored(store, first, second)
    await store.write(lambda unit: unit.messages.move_chat(TENANT, "p_old", "p_new"))
    found = await store.read(lambda unit: unit.messages.find_inbound(session.uid, "p_new", "p_new", "A1", ""))
    assert found is not None
    assert found.message_id == first.message_id
    kept = await store.read(lambda unit: unit.messages.get(TENANT, second.message_id))
    assert kept is not None
    assert (kept.chat_id, kept.provider_message_id) == ("p_new", "A1")


async def test_the_front_of_a_chat_is_what_was_due_first_and_does_not_pause(store: Store) -> None:
    session = await stored_session(store)
    paused = message(session, next_attempt_time=at(2))
    unconfirmed = message(session, state=State.STATE_UNCONFIRMED, next_attempt_time=at(2))
    later, other = message(session), message(session, "p_bea")
    await stored(store, message(session, state=State.STATE_SENT), paused, unconfirmed, later, other)

    async def front(chat_id: str, hours: float) -> str | None:
        found = await store.read(lambda unit: unit.messages.chat_front(session.uid, chat_id, at(hours)))
        return found.message_id if found else None

    assert await front("p_ada", 1) == unconfirmed.message_id
    assert await front("p_ada", 3) == paused.message_id
    assert await front("p_bea", 1) == other.message_id
    assert await front("p_nobody", 1) is None


async def test_a_chat_is_known_once_a_message_was_sent_or_received_there_by_the_session(store: Store) -> None:
    session, other = await stored_session(store), await stored_session(store, "other")
    states = {
        "p_sent": State.STATE_SENT,
        "p_heard": State.STATE_RECEIVED,
        "p_waiting": State.STATE_QUEUED,
        "p_failed": State.STATE_FAILED,
    }
    await stored(store, *(message(session, chat_id, state=state) for chat_id, state in states.items()))
    await stored(store, message(other, "p_waiting", state=State.STATE_SENT))
    asked = [*states, "p_nobody"]
    assert await store.read(lambda unit: unit.messages.known_chats(session, asked)) == {"p_sent", "p_heard"}
    assert await store.read(lambda unit: unit.messages.known_chats(session, [])) == set()


async def test_a_chat_that_becomes_known_in_a_unit_is_known_there(store: Store) -> None:
    session = await stored_session(store)

    async def work(unit: UnitOfWork) -> set[str]:
        await unit.messages.add(message(session, "p_new", state=State.STATE_RECEIVED))
        return await unit.messages.known_chats(session, ["p_new"])

    assert await store.write(work) == {"p_new"}
