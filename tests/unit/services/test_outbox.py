"""The outbox: what becomes of a message that is handed over, and of those behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.errors import LeaseLost
from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import LineChanged, LineState, NotSent, OutcomeUnknown, Refused, Sent
from gateway.domain.messages import HoldKind, State
from tests.unit.services.house import House, a_send
from tests.unit.services.telling import PHONE, arrives, goes_out, now
from wagate.v1 import error_reason_pb2 as reasons

ADA, BOB = "+4915100000011", "+4915100000012"
A_MOMENT = timedelta(milliseconds=10)


async def heads(house: House, lease: Lease) -> list[str]:
    """What would be handed over now."""
    return [message.content.text.text for message in await house.outbox.heads(lease)]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("not-on-whatsapp", reasons.ERROR_REASON_RECIPIENT_NOT_ON_WHATSAPP),
        ("463", reasons.ERROR_REASON_REACHOUT_RESTRICTED),
        ("479", reasons.ERROR_REASON_PROVIDER_REFUSED),
        ("400", reasons.ERROR_REASON_PROVIDER_REFUSED),
        ("", reasons.ERROR_REASON_PROVIDER_REFUSED),
        ("5000", reasons.ERROR_REASON_PROVIDER_REFUSED),
    ],
)
async def test_what_is_refused_for_good_fails_at_once_with_its_reason(
    house: House, lease: Lease, code: str, reason: reasons.ErrorReason.ValueType
) -> None:
    message_id = await house.send()
    await goes_out(house, lease, message_id, Refused(code))
    message = await house.message(message_id)
    assert message.failure is not None
    assert (message.state, message.failure.reason) == (State.STATE_FAILED, reason)
    assert message.failure.provider_code == code
    assert message.failure.message
    assert await house.states(message_id) == ["SENDING", "FAILED"]
    assert (await house.steps(message_id))[-1].failure == message.failure
    assert await heads(house, lease) == []


@pytest.mark.parametrize("code", ["429", "500", "503", "599"])
async def test_what_is_refused_for_now_is_tried_after_2_10_and_60_seconds_and_then_fails(
    house: House, lease: Lease, code: str
) -> None:
    message_id = await house.send("first", to=ADA)
    for seconds in (2, 10, 60):
        before = house.clock.now()
        await goes_out(house, lease, message_id, Refused(code))
        message = await house.message(message_id)
        assert message.next_attempt_time is not None
        assert before + timedelta(seconds=seconds) <= message.next_attempt_time
        assert message.next_attempt_time <= house.clock.now() + timedelta(seconds=seconds)
        assert message.hold is not None
        assert (message.hold.kind, message.hold.until_time) == (HoldKind.KIND_RETRY, message.next_attempt_time)
        assert await heads(house, lease) == []
        house.clock.ahead += message.next_attempt_time - house.clock.now() + A_MOMENT
        assert await heads(house, lease) == ["first"]
    await goes_out(house, lease, message_id, Refused(code))
    assert (await house.message(message_id)).state == State.STATE_FAILED
    assert (await house.shown(message_id)).attempt_count == 4


async def test_behind_a_message_that_pauses_the_queue_goes_on_in_its_own_chat_and_in_others(
    house: House, lease: Lease
) -> None:
    first = await house.send("first", to=ADA)
    await house.send("second", to=ADA)
    await house.send("other", to=BOB)
    await goes_out(house, lease, first, Refused("503"))
    assert await heads(house, lease) == ["second", "other"]


async def test_what_did_not_leave_goes_back_to_its_place(house: House, lease: Lease) -> None:
    first = await house.send("first", to=ADA)
    await house.send("second", to=ADA)
    await goes_out(house, lease, first, NotSent("no line"))
    assert await heads(house, lease) == ["first"]
    assert await house.states(first) == ["SENDING", "QUEUED"]


async def test_what_is_unconfirmed_holds_back_its_chat_alone(house: House, lease: Lease) -> None:
    first = await house.send("first", to=ADA)
    await house.send("second", to=ADA)
    await house.send("other", to=BOB)
    await goes_out(house, lease, first, OutcomeUnknown("the answer was lost"))
    assert await heads(house, lease) == ["first", "other"]
    assert (await house.message(first)).state == State.STATE_UNCONFIRMED


async def test_what_is_unconfirmed_is_repeated_three_times_under_its_id_and_no_more(house: House, lease: Lease) -> None:
    message_id = await house.send()
    names = []
    for _ in range(4):
        outgoing = await house.outbox.begin(lease, message_id)
        assert outgoing is not None
        names.append(outgoing.provider_message_id)
        await house.outbox.finish(lease, message_id, OutcomeUnknown("the answer was lost"))
    assert await house.outbox.begin(lease, message_id) is None
    assert len(set(names)) == 1
    message = await house.message(message_id)
    assert (message.attempt_count, message.repeat_count, message.state) == (4, 3, State.STATE_UNCONFIRMED)


async def test_chats_are_served_in_the_order_in_which_their_first_message_became_due(
    house: House, lease: Lease
) -> None:
    for words, to in (("a1", ADA), ("b1", BOB), ("a2", ADA)):
        await house.send(words, to=to)
    assert await heads(house, lease) == ["a1", "b1"]


async def test_an_attempt_is_begun_once(house: House, lease: Lease) -> None:
    message_id = await house.send()
    assert await house.outbox.begin(lease, message_id) is not None
    assert await house.outbox.begin(lease, message_id) is None
    assert await house.outbox.begin(lease, "m_unknown") is None


async def test_what_is_handed_over_carries_whom_it_answers_and_mentions_in_whatsapps_names(
    house: House, lease: Lease
) -> None:
    asked = await arrives(house, lease, "Tea?", lid="200@lid", phone_number=PHONE)
    request = a_send("with @", to="200@lid")
    request.content.context.mentions.add(address=BOB)
    request.content.context.reply_to.message_id = asked
    message_id = (await house.messages.send(house.call(), request)).message.message_id
    outgoing = await house.outbox.begin(lease, message_id)
    assert outgoing is not None
    assert not outgoing.content.HasField("context")
    assert outgoing.quoted is not None
    assert outgoing.quoted.provider_message_id == (await house.message(asked)).provider_message_id
    assert (outgoing.quoted.author.lid, outgoing.quoted.content.text.text) == ("200@lid", "Tea?")
    assert [person.phone_number for person in outgoing.mentions] == [BOB]
    assert (outgoing.to.lid, outgoing.to.phone_number) == ("200@lid", PHONE)


async def test_the_lid_that_a_message_went_to_belongs_to_its_chat_from_then_on(house: House, lease: Lease) -> None:
    known = await arrives(house, lease, "from my LID", lid="200@lid", phone_number="")
    message_id = await house.send(to=PHONE)
    outgoing = await house.outbox.begin(lease, message_id)
    assert outgoing is not None
    await house.outbox.finish(lease, message_id, Sent(now(), type(outgoing.to)(lid="200@lid")))
    assert (await house.message(message_id)).chat_id == (await house.message(known)).chat_id
    assert (await house.shown(message_id)).chat.phone_number == PHONE
    assert len(await house.log("identity.merged")) == 1


async def test_what_is_overdue_expires_unless_it_is_being_handed_over(house: House, lease: Lease) -> None:
    queued, unknown, sending = [await house.send(to=to) for to in (ADA, BOB, PHONE)]
    await goes_out(house, lease, unknown, OutcomeUnknown("the answer was lost"))
    await house.outbox.begin(lease, sending)
    assert await house.outbox.expire_overdue() == 0
    house.clock.ahead = timedelta(hours=25)
    assert await house.outbox.expire_overdue() == 2
    assert await house.outbox.expire_overdue() == 0
    for message_id in (queued, unknown):
        message = await house.message(message_id)
        assert message.failure is not None
        assert (message.state, message.failure.reason) == (State.STATE_EXPIRED, reasons.ERROR_REASON_GAVE_UP)
    assert (await house.message(sending)).state == State.STATE_SENDING
    await house.outbox.finish(lease, sending, OutcomeUnknown("the answer was lost"))
    assert await house.outbox.expire_overdue() == 1


async def test_nothing_is_begun_after_its_give_up_time(house: House, lease: Lease) -> None:
    message_id = await house.send()
    house.clock.ahead = timedelta(hours=25)
    assert await house.outbox.begin(lease, message_id) is None


async def test_of_everything_that_was_being_handed_over_the_outcome_is_unknown_wherever_it_stands(
    house: House, lease: Lease
) -> None:
    paused = await house.send("paused", to=ADA)
    await goes_out(house, lease, paused, Refused("503"))
    behind, other, waiting = [await house.send(words, to=to) for words, to in (("b", ADA), ("o", BOB), ("w", PHONE))]
    for message_id in (behind, other):
        await house.outbox.begin(lease, message_id)
    house.clock.ahead += timedelta(seconds=5)
    await house.outbox.recover(lease)
    assert [(await house.message(one)).state for one in (paused, behind, other, waiting)] == [
        State.STATE_QUEUED,
        State.STATE_UNCONFIRMED,
        State.STATE_UNCONFIRMED,
        State.STATE_QUEUED,
    ]


async def test_a_message_that_pauses_in_a_session_that_is_away_is_held_by_the_session_with_no_end_known(
    house: House, lease: Lease
) -> None:
    message_id = await house.send()
    await goes_out(house, lease, message_id, Refused("503"))
    await house.lines.changed(lease, LineChanged(LineState.RECONNECTING))
    hold = (await house.shown(message_id)).hold
    assert hold.kind == HoldKind.KIND_SESSION
    assert not hold.HasField("until_time")


async def test_an_owner_that_lost_its_lease_hands_over_and_settles_nothing(house: House, lease: Lease) -> None:
    begun, waiting = await house.send(to=ADA), await house.send(to=BOB)
    await house.outbox.begin(lease, begun)
    await house.leases.release(lease)
    before = await house.stored_log()
    with pytest.raises(LeaseLost):
        await house.outbox.begin(lease, waiting)
    with pytest.raises(LeaseLost):
        await house.outbox.finish(lease, begun, NotSent("no line"))
    with pytest.raises(LeaseLost):
        await house.outbox.recover(lease)
    assert await house.stored_log() == before


async def test_the_next_is_begun_with_the_end_of_the_one_before(house: House, lease: Lease) -> None:
    first, second = await house.send("first", to=PHONE), await house.send("second", to=PHONE)
    await house.outbox.begin(lease, first)
    _, following = await house.outbox.turns(lease)
    finished = await house.outbox.finish(lease, first, Sent(now(), Names(phone_number=PHONE)), then=following)
    assert finished.begun is not None
    assert finished.begun.content.text.text == "second"
    assert await house.states(first) == ["SENDING", "SENT"]
    assert await house.states(second) == ["SENDING"]


@pytest.mark.parametrize(
    ("to", "states"), [(PHONE, []), (BOB, ["SENDING"])], ids=["behind it in its chat", "in another chat"]
)
async def test_what_did_not_leave_holds_back_what_is_behind_it_and_no_other_chat(
    house: House, lease: Lease, to: str, states: list[str]
) -> None:
    first, second = await house.send("first", to=PHONE), await house.send("second", to=to)
    await house.outbox.begin(lease, first)
    _, following = await house.outbox.turns(lease)
    finished = await house.outbox.finish(lease, first, NotSent("no line"), then=following)
    assert finished.lets_go_on is False
    assert (finished.begun is not None) == bool(states)
    assert await house.states(second) == states


async def test_an_owner_of_earlier_ends_nothing_and_begins_nothing(house: House, lease: Lease) -> None:
    first, second = await house.send("first", to=PHONE), await house.send("second", to=PHONE)
    await house.outbox.begin(lease, first)
    _, following = await house.outbox.turns(lease)
    stale = replace(lease, fence=lease.fence - 1)
    with pytest.raises(LeaseLost):
        await house.outbox.finish(stale, first, Sent(now(), Names(phone_number=PHONE)), then=following)
    assert (await house.states(first), await house.states(second)) == (["SENDING"], [])


async def test_heads_have_their_turn_first_and_then_what_is_behind_them(house: House, lease: Lease) -> None:
    for text, to in (("a1", PHONE), ("a2", PHONE), ("b1", BOB), ("a3", PHONE), ("b2", BOB)):
        await house.send(text, to=to)
    assert [message.content.text.text for message in await house.outbox.turns(lease)] == ["a1", "b1", "a2", "b2", "a3"]
