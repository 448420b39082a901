"""Clients that others made, unmodified, chat with each other, with whatsmeow and with the gateway, both ways."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.foreign.client import ForeignClient
from tests.foreign.conftest import Cast
from tests.foreign.naming import jids
from tests.stage.persons import Naming, Person
from tests.stage.shop import Shop
from wagate.v1 import content_pb2, event_pb2, message_pb2, message_service_pb2

pytestmark = pytest.mark.timeout(120)

Level = message_pb2.Reach.Level


async def test_baileys_and_neonize_chat(cast: Cast) -> None:
    await say(cast.baileys, cast.neonize, cast.neonize.phone_number)
    await say(cast.baileys, cast.neonize, cast.neonize.lid)
    await say(cast.neonize, cast.baileys, cast.baileys.phone_number)
    await say(cast.neonize, cast.baileys, cast.baileys.lid)


@pytest.mark.parametrize("naming", Naming)
async def test_baileys_and_whatsmeow_chat(cast: Cast, naming: Naming) -> None:
    ada = await cast.lab.person("Ada", naming=naming)
    await say_to_person(cast.baileys, ada)
    await answer_as_person(ada, cast.baileys)


@pytest.mark.parametrize("naming", Naming)
async def test_neonize_and_whatsmeow_chat(cast: Cast, naming: Naming) -> None:
    ada = await cast.lab.person("Ada", naming=naming)
    await say_to_person(cast.neonize, ada)
    await answer_as_person(ada, cast.neonize)


async def test_baileys_and_the_gateway_chat(cast: Cast) -> None:
    await say_to_gateway(cast.baileys, cast.shop)
    await say_as_gateway(cast.shop, cast.baileys, cast.baileys.phone_number)
    await say_as_gateway(cast.shop, cast.baileys, cast.baileys.lid)


async def test_neonize_and_the_gateway_chat(cast: Cast) -> None:
    await say_to_gateway(cast.neonize, cast.shop)
    await say_as_gateway(cast.shop, cast.neonize, cast.neonize.phone_number)
    await say_as_gateway(cast.shop, cast.neonize, cast.neonize.lid)


async def test_answers_name_what_they_answer(cast: Cast) -> None:
    for client in (cast.baileys, cast.neonize):
        await ask_and_be_answered(cast.shop, client)


async def say(author: ForeignClient, reader: ForeignClient, to: str) -> None:
    """One says something to the other, who knows who it is; and learns that it was delivered and read."""
    said = await author.say(to, f"hello {to}")
    message = await reader.received(said)
    assert message.text == f"hello {to}"
    assert message.sender_jids == jids(author)
    assert message.sender_name == author.name
    await author.knows("delivered", said)
    await reader.read(message)
    await author.knows("read", said)


async def say_to_person(author: ForeignClient, reader: Person) -> None:
    """One says something to a person, and learns that it was delivered and read."""
    async with reader.inbox() as inbox:
        said = await author.say(reader.phone_number, "hello")
        received = await inbox.until(lambda received: received.provider_message_id == said)
        assert received.text == "hello"
        assert (received.from_phone_number, received.from_lid) == (author.phone_number, author.lid)
        await author.knows("delivered", said)
        await reader.read(received)
        await author.knows("read", said)


async def answer_as_person(author: Person, reader: ForeignClient) -> None:
    """A person says something to one who knows who it is."""
    said = await author.say(reader.phone_number, "hello to you")
    message = await reader.received(said)
    assert message.text == "hello to you"
    assert message.sender_jids
    assert message.sender_jids <= jids(author)
    await reader.read(message)


async def say_to_gateway(author: ForeignClient, shop: Shop) -> None:
    """One says something to the gateway, which tells who it is; and learns that it was delivered and read."""
    async with shop.events("message.received") as events:
        said = await author.say(shop.phone_number, "are you open?")
        received = (await events.next()).message_received.message
        assert received.content.text.text == "are you open?"
        assert received.provider_message_id == said
        sender = received.sender
        assert (sender.phone_number, sender.lid, sender.display_name) == (author.phone_number, author.lid, author.name)
        await author.knows("delivered", said)
        await read_as_gateway(shop, received)
        await author.knows("read", said)


async def read_as_gateway(shop: Shop, received: message_pb2.Message) -> None:
    request = message_service_pb2.MarkMessagesReadRequest(session_id=shop.session_id, message_ids=[received.message_id])
    await shop.gateway.messages.MarkMessagesRead(request)


async def say_as_gateway(shop: Shop, reader: ForeignClient, to: str) -> None:
    """The gateway says something to one who knows who it is; and tells that it was delivered and read."""
    async with shop.events("message.status_changed") as events:
        accepted = await shop.accept(to, "we are open")
        message = await reader.received(accepted.provider_message_id)
        assert message.text == "we are open"
        assert message.sender_jids == jids(shop)
        await events.until(reached(Level.LEVEL_DELIVERED))
        await reader.read(message)
        await events.until(reached(Level.LEVEL_READ))


def reached(level: Level.ValueType) -> Callable[[event_pb2.Event], bool]:
    """Whether an event tells that a message got so far."""
    return lambda event: event.message_status_changed.reach.furthest == level


async def ask_and_be_answered(shop: Shop, client: ForeignClient) -> None:
    """The gateway knows which of its messages one answers, and one knows which is answered by the gateway."""
    async with shop.events("message.received") as events:
        asked = await shop.accept(client.phone_number, "shall I deliver?")
        question = await client.received(asked.provider_message_id)
        said = await client.reply(question, "yes")
        answer = (await events.next()).message_received.message
        assert answer.content.text.text == "yes"
        quote = answer.content.context.reply_to
        assert (quote.message_id, quote.preview) == (asked.message_id, "shall I deliver?")
        assert quote.author.phone_number == shop.phone_number
        thanks = await shop.accept(answer.chat.id, "thanks", reply_to=content_pb2.Quote(message_id=answer.message_id))
    assert (await client.received(thanks.provider_message_id)).quoted == said
