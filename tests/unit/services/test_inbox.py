from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.domain.errors import LeaseLost
from gateway.domain.identities import Names
from gateway.domain.leases import Lease
from gateway.domain.lines import MessageArrived, NamesLearned, Party
from gateway.domain.messages import Direction, Origin, State
from tests.unit.services.house import House, text
from tests.unit.services.telling import PHONE, goes_out, now, person, place, says, says_the_unreadable
from wagate.v1 import content_pb2, message_pb2
from wagate.v1 import message_service_pb2 as pb

ADA = person("200@lid", PHONE, "Ada")
BOB = person("201@lid", "+4915112345679", "Bob")


async def test_a_message_told_three_times_is_one_row_and_one_event(house: House, lease: Lease) -> None:
    fact = says("Good day", place(ADA))
    for _ in range(3):
        await house.inbox.message(lease, fact)
    (message,) = await house.all_messages()
    (event,) = await house.log("message.received")
    assert event.message_received.message == message
    assert (message.content.text.text, message.state, message.revision) == ("Good day", State.STATE_RECEIVED, 1)
    assert (message.direction, message.origin) == (Direction.DIRECTION_INBOUND, Origin.ORIGIN_LIVE)
    assert message.chat == message.sender == event.actor
    assert (event.chat_id, message.sender.display_name) == (message.chat.id, "Ada")
    assert event.occur_time == message.send_time


async def test_one_provider_id_from_two_people_or_of_two_edits_is_two_messages(house: House, lease: Lease) -> None:
    for where in (place(ADA, "3A01"), place(BOB, "3A01"), place(ADA, "3A01", edit="1")):
        await house.inbox.message(lease, says("Good day", where))
        await house.inbox.message(lease, says("Good day", where))
    assert len(await house.all_messages()) == 3


async def test_what_waited_at_whatsapp_is_told_as_offline(house: House, lease: Lease) -> None:
    await house.inbox.message(lease, says("Good day", replace(place(ADA), offline=True)))
    (message,) = await house.all_messages()
    assert message.origin == Origin.ORIGIN_OFFLINE


async def test_a_placeholder_is_completed_under_its_id_and_never_comes_back(house: House, lease: Lease) -> None:
    where = place(ADA)
    await house.inbox.undecryptable(lease, says_the_unreadable(where))
    (placeholder,) = await house.all_messages()
    assert placeholder.content.undecryptable.requested_again
    for _ in range(2):
        await house.inbox.message(lease, says("Good day", where))
        await house.inbox.undecryptable(lease, says_the_unreadable(where))
    (message,) = await house.all_messages()
    assert (message.message_id, message.revision) == (placeholder.message_id, 2)
    assert message.content.text.text == "Good day"
    (missing,) = await house.log("message.undecryptable")
    (resolved,) = await house.log("message.resolved")
    assert missing.message_undecryptable.message == placeholder
    assert resolved.message_resolved.message == message
    assert await house.log("message.received") == []


async def test_what_the_owner_writes_on_the_phone_is_the_accounts_own_and_has_left(house: House, lease: Lease) -> None:
    account = person("77@lid")
    await house.inbox.message(lease, says("Back at five", place(ADA, sender=account, from_me=True)))
    (message,) = await house.all_messages()
    assert (message.direction, message.origin) == (Direction.DIRECTION_OUTBOUND, Origin.ORIGIN_OTHER_DEVICE)
    assert message.state == State.STATE_SENT
    assert (message.chat.lid, message.sender.id) == ("200@lid", (await house.session()).account_id)
    (event,) = await house.log("message.accepted")
    assert event.message_accepted.message == message
    assert not event.HasField("actor")


async def test_the_echo_of_what_was_sent_from_here_is_no_second_message(house: House, lease: Lease) -> None:
    message_id = await house.send(to=PHONE)
    await goes_out(house, lease, message_id)
    echo = place(ADA, (await house.message(message_id)).provider_message_id, sender=person("77@lid"), from_me=True)
    await house.inbox.message(lease, says("Good morning", echo))
    assert [message.message_id for message in await house.all_messages()] == [message_id]


async def test_a_group_is_the_chat_and_a_person_the_sender(house: House, lease: Lease) -> None:
    group = Party(place_jid="120363025246125486@g.us")
    await house.inbox.message(lease, says("Hello all", place(group, sender=ADA)))
    (message,) = await house.all_messages()
    assert (message.chat.id, message.sender.lid) == ("120363025246125486@g.us", "200@lid")


async def test_an_answer_names_the_message_that_it_answers_by_our_id(house: House, lease: Lease) -> None:
    message_id = await house.send("Tea or coffee?", to=PHONE)
    await goes_out(house, lease, message_id)
    quoted = (await house.message(message_id)).provider_message_id
    fact = MessageArrived(place(ADA), text("Tea"), quoted, Names("77@lid"), "Tea or coffee?", (ADA.names, BOB.names))
    await house.inbox.message(lease, fact)
    context = (await house.all_messages())[-1].content.context
    assert (context.reply_to.message_id, context.reply_to.preview) == (message_id, "Tea or coffee?")
    assert context.reply_to.author.lid == "77@lid"
    assert [mention.identity.lid for mention in context.mentions] == ["200@lid", "201@lid"]
    assert not any(mention.address for mention in context.mentions)


async def test_an_answer_to_what_was_never_here_shows_what_it_quotes(house: House, lease: Lease) -> None:
    fact = MessageArrived(place(ADA), text("Yes"), "3AFF", BOB.names, "x" * 3000)
    await house.inbox.message(lease, fact)
    (message,) = await house.all_messages()
    quote = message.content.context.reply_to
    assert (quote.message_id, quote.author.lid, quote.preview) == ("", "201@lid", "x" * 1024)


async def test_a_mention_that_shows_that_two_are_one_leaves_the_message_in_the_chat_that_stays(
    house: House, lease: Lease
) -> None:
    await house.inbox.message(lease, says("by number", place(person(phone_number=PHONE))))
    fact = MessageArrived(place(person("200@lid")), text("that is me"), mentions=(Names("200@lid", PHONE),))
    await house.inbox.message(lease, fact)
    first, second = await house.all_messages()
    assert first.chat == second.chat
    stored = [(await house.message(message.message_id)).chat_id for message in (first, second)]
    assert stored == [first.chat.id] * 2
    (event,) = [event for event in await house.log("message.received") if event.message_received.message == second]
    assert event.chat_id == first.chat.id


async def test_bytes_that_an_event_cannot_hold_stay_in_the_store_for_those_who_may_see_them(
    house: House, lease: Lease
) -> None:
    raw = b"\1" * 300_000
    unsupported = content_pb2.Content(unsupported=content_pb2.Unsupported(provider_kind="orderMessage", raw=raw))
    await house.inbox.message(lease, MessageArrived(place(ADA), unsupported))
    (event,) = await house.log("message.received")
    assert event.message_received.message.content.unsupported.provider_kind == "orderMessage"
    assert event.ByteSize() < 256 * 1024
    (message,) = await house.all_messages()
    assert message.content.unsupported.raw == raw


async def test_the_providers_bytes_are_shown_to_nobody_without_the_scope_for_them(house: House, lease: Lease) -> None:
    unsupported = content_pb2.Content(unsupported=content_pb2.Unsupported(provider_kind="orderMessage", raw=b"raw"))
    await house.inbox.message(lease, MessageArrived(place(ADA), unsupported))
    (message,) = await house.all_messages()
    plain = house.call(scopes=["messages:read"])
    got = await house.messages.get(plain, pb.GetMessageRequest(session_id="sales", message_id=message.message_id))
    listed = await house.messages.list(plain, pb.ListMessagesRequest(session_id="sales"))
    request = pb.WatchMessageRequest(session_id="sales", message_id=message.message_id)
    watched = [frame async for frame in house.messages.watch(plain, request)]
    shown: list[message_pb2.Message] = [got.message, *listed.messages, *(frame.message for frame in watched)]
    assert len(shown) == 3
    for one in shown:
        assert (one.content.unsupported.provider_kind, one.content.unsupported.raw) == ("orderMessage", b"")


async def test_names_that_belong_together_are_learnt(house: House, lease: Lease) -> None:
    await house.inbox.names(lease, NamesLearned(Names("200@lid", PHONE, "Ada")))
    person = await house.whose("200@lid")
    assert person is not None
    assert (person.phone_number, person.display_name) == (PHONE, "Ada")


async def test_having_been_away_is_told_with_what_waited(house: House, lease: Lease) -> None:
    since = now() - timedelta(hours=1)
    await house.inbox.caught_up(lease, 3, since)
    await house.inbox.caught_up(lease, 0, None)
    first, second = (event.offline_gap for event in await house.log("offline.gap"))
    assert (first.item_count, first.from_time.ToSeconds()) == (3, int(since.timestamp()))
    assert not second.HasField("from_time")
    assert second.HasField("to_time")


async def test_an_owner_that_lost_its_lease_takes_in_nothing(house: House, lease: Lease) -> None:
    await house.leases.release(lease)
    before = await house.stored_log()
    with pytest.raises(LeaseLost):
        await house.inbox.message(lease, says("Good day", place(ADA)))
    with pytest.raises(LeaseLost):
        await house.inbox.undecryptable(lease, says_the_unreadable(place(ADA)))
    with pytest.raises(LeaseLost):
        await house.inbox.names(lease, NamesLearned(Names("200@lid")))
    with pytest.raises(LeaseLost):
        await house.inbox.caught_up(lease, 1, None)
    assert await house.stored_log() == before
    assert await house.whose("200@lid") is None
