"""A text comes in: one row, one event, and only then WhatsApp hears that it arrived."""

import struct
from collections.abc import Callable

from tests.acceptance.conftest import World
from tests.stage.lab import Kind
from tests.stage.midway import commits_held
from tests.stage.shop import as_told
from wagate.lab.v1.oracle_pb2 import OracleEntry
from wagate.v1 import content_pb2, message_pb2

Message = message_pb2.Message


async def test_a_text_is_a_row_and_an_event(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("message.*") as events:
        said = await ada.say(shop.phone_number, "are you open?")
        event = await events.next()
    received = event.message_received.message
    assert event.actor.lid == ada.lid
    assert event.chat_id == received.chat.id == received.sender.id
    assert received.content.text.text == "are you open?"
    assert received.provider_message_id == said
    assert (received.direction, received.state) == (Message.DIRECTION_INBOUND, Message.STATE_RECEIVED)
    assert received.origin == Message.ORIGIN_LIVE
    assert (received.sender.phone_number, received.sender.display_name) == (ada.phone_number, "Ada")
    assert as_told(await shop.message(received.message_id)) == received


async def test_an_answer_names_what_it_answers_by_our_id(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("message.received") as events, ada.inbox() as inbox:
        accepted = await shop.accept(ada.phone_number, "shall I deliver?")
        await ada.reply(await inbox.next(), "yes")
        received = (await events.next()).message_received.message
    quote = received.content.context.reply_to
    assert (quote.message_id, quote.preview) == (accepted.message_id, "shall I deliver?")
    assert quote.author.phone_number == shop.phone_number


async def test_whatsapp_hears_that_it_arrived_only_after_the_commit(own_world: World) -> None:
    shop, ada = await own_world.shop(), await own_world.lab.person("Ada")
    async with own_world.lab.oracle() as oracle, shop.events("message.received") as events:
        with commits_held(own_world.gateway.database):
            said = await ada.say(shop.phone_number, "are you open?")
            await oracle.until(delivered(shop.phone_number, said))
            await oracle.silent(lambda entry: entry.kind == Kind.KIND_CONFIRMED, during=1)
            assert events.seen == []
        confirmed = await oracle.until(lambda entry: entry.kind == Kind.KIND_CONFIRMED)
        assert (confirmed.account, confirmed.provider_message_id) == (shop.phone_number, said)
        assert (await events.next()).message_received.message.provider_message_id == said


def delivered(phone_number: str, provider_message_id: str) -> Callable[[OracleEntry], bool]:
    """Whether the oracle tells that the server wrote a message to a device."""
    told = (Kind.KIND_DELIVERED, phone_number, provider_message_id)
    return lambda entry: (entry.kind, entry.account, entry.provider_message_id) == told


async def test_a_message_that_comes_twice_is_one_message(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("message.received") as events:
        for text in ("once", "once", "and another"):
            await ada.say(shop.phone_number, text, provider_message_id="3EB0AAAA" if text == "once" else "")
        texts = [(await events.next()).message_received.message.content.text.text for _ in range(2)]
    assert texts == ["once", "and another"]


async def test_what_the_gateway_cannot_express_is_kept_and_told(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    location = b"\x09" + struct.pack("<d", 52.5) + b"\x11" + struct.pack("<d", 13.4)
    async with shop.events("message.received") as events:
        await ada.say_raw(shop.phone_number, b"\x2a" + bytes([len(location)]) + location)
        received = (await events.next()).message_received.message
    assert received.content.unsupported.provider_kind == "locationMessage"
    assert location in received.content.unsupported.raw


async def test_what_the_owner_writes_on_the_phone_is_told_as_sent_elsewhere(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    owner = await world.lab.person("Owner", phone_number=shop.phone_number)
    async with shop.events("message.*") as events:
        said = await owner.say(ada.phone_number, "I am on my way")
        message = (await events.next()).message_accepted.message
    assert (message.direction, message.origin) == (Message.DIRECTION_OUTBOUND, Message.ORIGIN_OTHER_DEVICE)
    assert (message.state, message.provider_message_id) == (Message.STATE_SENT, said)
    assert message.chat.lid == ada.lid
    assert message.content.text == content_pb2.Text(text="I am on my way")


async def test_what_waited_at_whatsapp_is_told_as_such(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await shop.stop()
    await ada.say(shop.phone_number, "good night")
    async with shop.events("message.received", "offline.gap") as events:
        await shop.start()
        received = (await events.next()).message_received.message
        gap = (await events.next()).offline_gap
    assert (received.content.text.text, received.origin) == ("good night", Message.ORIGIN_OFFLINE)
    assert gap.item_count >= 1
