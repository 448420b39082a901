"""Clients that others made speak in groups with whatsmeow and the gateway: all hear all, by either way of naming."""

from __future__ import annotations

import pytest

from tests.foreign.client import ForeignClient, Message
from tests.foreign.conftest import Cast
from tests.foreign.naming import jids
from tests.stage.groups import Addressing, new_group
from tests.stage.persons import Person
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import message_pb2

pytestmark = pytest.mark.timeout(120)

Fault = lab_service_pb2.SetFaultRequest.Fault


@pytest.mark.parametrize("addressing", Addressing)
async def test_all_members_hear_what_each_says(cast: Cast, addressing: Addressing) -> None:
    ada = await cast.lab.person("Ada")
    group = await group_of_all(cast, ada, addressing)
    for author in (cast.baileys, cast.neonize, ada):
        await speak(author, group, cast, ada)
        await speak(author, group, cast, ada)


@pytest.mark.parametrize("addressing", Addressing)
async def test_what_one_member_cannot_decrypt_the_author_says_again(cast: Cast, addressing: Addressing) -> None:
    ada = await cast.lab.person("Ada")
    group = await group_of_all(cast, ada, addressing)
    for author in (cast.baileys, cast.neonize):
        await misread_by_gateway(author, group, cast)
    for reader in (cast.baileys, cast.neonize):
        await cast.lab.fault(reader.account, Fault(garble_count=1))
        await speak(ada, group, cast, ada)
        await cast.lab.fault(reader.account)


async def group_of_all(cast: Cast, creator: Person, addressing: Addressing) -> str:
    """A group of the whole cast, made by a person; its JID."""
    everybody = (creator, cast.baileys, cast.neonize, cast.shop)
    return await new_group(cast.lab, *(one.phone_number for one in everybody), addressing=addressing)


async def speak(author: ForeignClient | Person, group: str, cast: Cast, ada: Person) -> None:
    """One says something, and all others know what and who."""
    async with ada.inbox() as inbox, cast.shop.events("message.received") as events:
        said = await author.say(group, "hello all")
        told_by_gateway((await events.next()).message_received.message, said, group, author)
        for reader in {cast.baileys, cast.neonize} - {author}:
            heard(await reader.received(said), group, author)
        if author is not ada:
            received = await inbox.until(lambda received: received.provider_message_id == said)
            assert (received.text, received.chat_jid, received.from_lid) == ("hello all", group, author.lid)


def heard(message: Message, group: str, author: ForeignClient | Person) -> None:
    assert (message.text, message.chat, message.sender_jids) == ("hello all", group, jids(author))


def told_by_gateway(message: message_pb2.Message, said: str, group: str, author: ForeignClient | Person) -> None:
    assert (message.provider_message_id, message.chat.id) == (said, group)
    assert (message.sender.phone_number, message.sender.lid) == (author.phone_number, author.lid)
    assert message.content.text.text == "hello all"


async def misread_by_gateway(author: ForeignClient, group: str, cast: Cast) -> None:
    """What the gateway cannot decrypt at first is told as such, asked for again, and told."""
    await cast.lab.fault(cast.shop.account, Fault(garble_count=1))
    async with cast.shop.events("message.undecryptable", "message.resolved") as events:
        said = await author.say(group, "hello all")
        first = (await events.next()).message_undecryptable.message
        assert (first.provider_message_id, first.chat.id) == (said, group)
        told_by_gateway((await events.next()).message_resolved.message, said, group, author)
    await cast.lab.fault(cast.shop.account)
