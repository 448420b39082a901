"""What is said in a group comes in as texts do: the chat is the group, the sender is the member who spoke."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import World
from tests.stage.groups import Addressing, change_members, new_group
from tests.stage.lab import Kind
from tests.stage.persons import Naming, Person
from tests.stage.shop import Shop, as_told
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import content_pb2, event_pb2, identity_pb2, message_pb2, message_service_pb2

Message = message_pb2.Message
Fault = lab_service_pb2.SetFaultRequest.Fault

both_addressings = pytest.mark.parametrize("addressing", Addressing, ids=lambda addressing: addressing.name.lower())


async def a_group(world: World, addressing: Addressing = Addressing.LID) -> tuple[Shop, Person, str]:
    """A shop, and Ada who has made a group with it."""
    shop, ada = await world.shop(), await world.lab.person("Ada")
    return shop, ada, await new_group(world.lab, ada.phone_number, shop.phone_number, addressing=addressing)


def received_in(event: event_pb2.Event) -> message_pb2.Message:
    """The message that an event tells as received."""
    assert event.kind == "message.received"
    return event.message_received.message


@both_addressings
async def test_a_text_stands_in_the_group_and_comes_from_the_member(world: World, addressing: Addressing) -> None:
    shop, ada, group = await a_group(world, addressing)
    async with shop.events("message.*") as events:
        said = await ada.say(group, "who is coming?")
        event = await events.next()
    received = received_in(event)
    assert received.chat == identity_pb2.Identity(id=group, kind=identity_pb2.Identity.KIND_GROUP)
    assert (received.sender.lid, received.sender.phone_number) == (ada.lid, ada.phone_number)
    assert received.sender.display_name == "Ada"
    assert (event.chat_id, event.actor) == (group, received.sender)
    assert received.content == content_pb2.Content(text=content_pb2.Text(text="who is coming?"))
    assert (received.direction, received.origin) == (Message.DIRECTION_INBOUND, Message.ORIGIN_LIVE)
    assert received.provider_message_id == said
    assert [as_told(shown) for shown in await shop.messages(chat=group)] == [received]


async def test_who_speaks_in_a_group_and_to_us_is_one_person_in_two_chats(world: World) -> None:
    shop, ada, group = await a_group(world, Addressing.PHONE)
    async with shop.events("message.*") as events:
        await ada.say(group, "to all")
        await ada.say(shop.phone_number, "to you")
        in_group, in_private = received_in(await events.next()), received_in(await events.next())
    assert in_group.sender == in_private.sender == in_private.chat
    assert in_group.chat.id == group


async def test_a_member_who_is_known_by_lid_alone_is_a_person_too(world: World) -> None:
    shop, bob = await world.shop(), await world.lab.person("Bob", naming=Naming.LID_ONLY)
    group = await new_group(world.lab, bob.phone_number, shop.phone_number)
    async with shop.events("message.*") as events:
        await bob.say(group, "guess who")
        received = received_in(await events.next())
    assert (received.sender.lid, received.sender.phone_number) == (bob.lid, "")


async def test_an_answer_in_a_group_names_what_and_whom_it_answers(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    bob = await world.lab.person("Bob")
    group = await new_group(world.lab, ada.phone_number, bob.phone_number, shop.phone_number)
    async with shop.events("message.*") as events, bob.inbox() as inbox:
        await ada.say(group, "who is coming?")
        await bob.reply(await inbox.next(), "I am")
        question, answer = received_in(await events.next()), received_in(await events.next())
    assert (answer.chat.id, answer.sender.lid) == (group, bob.lid)
    quote = answer.content.context.reply_to
    assert (quote.message_id, quote.preview) == (question.message_id, "who is coming?")
    assert quote.author == question.sender


async def test_who_is_called_out_in_a_group_is_told_as_a_person(world: World) -> None:
    shop, ada, group = await a_group(world)
    words = f"@{shop.account.lid.removesuffix('@lid')} are you coming?"
    async with shop.events("message.*") as events:
        await ada.say_raw(group, calling_out(words, shop.account.lid))
        received = received_in(await events.next())
    assert received.content.text.text == words
    (mention,) = received.content.context.mentions
    assert (mention.identity.lid, mention.identity.phone_number) == (shop.account.lid, shop.phone_number)


def calling_out(words: str, jid: str) -> bytes:
    """A `waE2E.Message` whose text (field 6, there 1) mentions someone (there 17, therein 15)."""

    def field(number: int, content: bytes) -> bytes:
        tag = number << 3 | 2
        return bytes([tag] if tag < 0x80 else [tag & 0x7F | 0x80, tag >> 7]) + bytes([len(content)]) + content

    return field(6, field(1, words.encode()) + field(17, field(15, jid.encode())))


async def test_that_a_group_was_made_and_who_comes_and_goes_is_no_message(world: World) -> None:
    shop, ada, group = await a_group(world)
    bob = await world.lab.person("Bob")
    async with shop.events("message.*") as events:
        await change_members(world.lab, group, join=(bob.phone_number,))
        await bob.say(group, "hello all")
        assert received_in(await events.next()).sender.lid == bob.lid
        await change_members(world.lab, group, leave=(bob.phone_number,))
        await ada.say(group, "Bob is gone")
        assert received_in(await events.next()).sender.lid == ada.lid
    assert len(await shop.messages()) == 2


async def test_what_the_owner_says_in_a_group_is_the_accounts_own(world: World) -> None:
    shop, _, group = await a_group(world)
    owner = await world.lab.person("Owner", phone_number=shop.phone_number)
    async with shop.events("message.*") as events:
        said = await owner.say(group, "I am coming")
        message = (await events.next()).message_accepted.message
    assert (message.direction, message.origin) == (Message.DIRECTION_OUTBOUND, Message.ORIGIN_OTHER_DEVICE)
    assert (message.state, message.provider_message_id) == (Message.STATE_SENT, said)
    assert (message.chat.id, message.sender.phone_number) == (group, shop.phone_number)


@both_addressings
async def test_each_member_who_got_what_the_owner_said_is_counted_once(world: World, addressing: Addressing) -> None:
    shop, ada, group = await a_group(world, addressing)
    bob = await world.lab.person("Bob")
    await change_members(world.lab, group, join=(bob.phone_number,))
    owner = await world.lab.person("Owner", phone_number=shop.phone_number)
    async with shop.events("message.*") as events, ada.inbox() as inbox:
        await owner.say(group, "I am coming")
        await ada.read(await inbox.next())
        step = await events.until(lambda event: reached(event).read_count == 1 and reached(event).delivered_count == 2)
    assert step.chat_id == group
    (message,) = await shop.messages(chat=group)
    assert message.reach == reached(step)


def reached(event: event_pb2.Event) -> message_pb2.Reach:
    """How far a message got, if the event tells it."""
    return event.message_status_changed.reach


async def test_what_was_said_in_a_group_while_we_were_away_comes_in_order(world: World) -> None:
    shop, ada, group = await a_group(world)
    bob = await world.lab.person("Bob")
    await change_members(world.lab, group, join=(bob.phone_number,))
    await shop.stop()
    for number in range(10):
        await (ada, bob)[number % 2].say(group, str(number))
    async with shop.events("message.*") as events:
        await shop.start()
        messages = [received_in(await events.next()) for _ in range(10)]
    assert [message.content.text.text for message in messages] == [str(number) for number in range(10)]
    assert {message.origin for message in messages} == {Message.ORIGIN_OFFLINE}
    assert [message.sender.lid for message in messages] == [ada.lid, bob.lid] * 5


@both_addressings
async def test_a_member_is_told_that_what_they_said_was_read(world: World, addressing: Addressing) -> None:
    shop, ada, group = await a_group(world, addressing)
    async with shop.events("message.*") as events, world.lab.oracle() as oracle:
        said = await ada.say(group, "read this")
        received = received_in(await events.next())
        request = message_service_pb2.MarkMessagesReadRequest(
            session_id=shop.session_id, message_ids=[received.message_id]
        )
        await shop.gateway.messages.MarkMessagesRead(request)
        read = await oracle.until(lambda entry: entry.kind == Kind.KIND_FORWARDED and entry.type == "read")
    assert (read.account, read.peer, read.to_jid) == (ada.phone_number, shop.phone_number, group)
    assert read.provider_message_id == said


@both_addressings
async def test_what_cannot_be_read_in_a_group_is_completed_later(world: World, addressing: Addressing) -> None:
    shop, ada, group = await a_group(world, addressing)
    async with shop.events("message.*") as events:
        await ada.say(group, "in clear")
        received_in(await events.next())
        await world.lab.fault(shop.account, Fault(garble_count=1))
        said = await ada.say(group, "garbled")
        placeholder = (await events.next()).message_undecryptable.message
        completed = (await events.next()).message_resolved.message
        await ada.say(group, "in clear again")
        assert received_in(await events.next()).content.text.text == "in clear again"
    assert placeholder.content.undecryptable.requested_again
    assert (placeholder.provider_message_id, placeholder.chat.id, placeholder.sender.lid) == (said, group, ada.lid)
    assert (completed.message_id, completed.content.text.text) == (placeholder.message_id, "garbled")
    assert (completed.chat, completed.sender) == (placeholder.chat, placeholder.sender)
    texts = [message.content.text.text for message in await shop.messages(chat=group)]
    assert texts == ["in clear again", "garbled", "in clear"]
