"""Clients that others made and the gateway lose nothing to each other's mishaps."""

from __future__ import annotations

import asyncio

import pytest

from tests.foreign.client import ForeignClient
from tests.foreign.conftest import Cast
from tests.stage.lab import Lab
from tests.stage.shop import Shop
from wagate.lab.v1 import lab_service_pb2
from wagate.v1 import message_pb2

pytestmark = pytest.mark.timeout(120)

Fault = lab_service_pb2.SetFaultRequest.Fault
Level = message_pb2.Reach.Level
State = message_pb2.Message.State


async def test_what_one_cannot_decrypt_the_other_says_again(cast: Cast) -> None:
    await misread_by_foreigner(cast.lab, cast.shop, cast.baileys)
    await misread_by_gateway(cast.lab, cast.baileys, cast.shop)
    await misread_by_foreigner(cast.lab, cast.shop, cast.neonize)
    await misread_by_gateway(cast.lab, cast.neonize, cast.shop)


async def test_what_waited_is_there_for_who_comes_back(cast: Cast) -> None:
    await asyncio.gather(*(come_back(cast.shop, client) for client in (cast.baileys, cast.neonize)))


async def misread_by_foreigner(lab: Lab, shop: Shop, reader: ForeignClient) -> None:
    """What the gateway says cannot be decrypted at first, is asked for again, and then read."""
    await lab.fault(reader.account, Fault(garble_count=1))
    accepted = await shop.accept(reader.phone_number, "can you read this?")
    message = await reader.received(accepted.provider_message_id)
    assert message.text == "can you read this?"
    await lab.fault(reader.account)


async def misread_by_gateway(lab: Lab, author: ForeignClient, shop: Shop) -> None:
    """What the gateway cannot decrypt at first is told as such, asked for again, and told."""
    await lab.fault(shop.account, Fault(garble_count=1))
    async with shop.events("message.undecryptable", "message.resolved") as events:
        said = await author.say(shop.phone_number, "and this?")
        first, resolved = await events.next(), (await events.next()).message_resolved.message
    await lab.fault(shop.account)
    assert first.message_undecryptable.message.provider_message_id == said
    assert (resolved.provider_message_id, resolved.content.text.text) == (said, "and this?")


async def come_back(shop: Shop, reader: ForeignClient) -> None:
    """One is away while the gateway says two things, comes back, and learns both."""
    await reader.leave()
    said = [await shop.accept(reader.phone_number, text) for text in ("are you there?", "good night")]
    async with shop.watch(said[-1].message_id) as last:
        sent = await last.until(lambda message: message.state == State.STATE_SENT)
        assert sent.reach.furthest == Level.LEVEL_UNSPECIFIED
        await reader.come_back()
        waited = [await reader.messages.next() for _ in said]
        await last.until(lambda message: message.reach.furthest == Level.LEVEL_DELIVERED)
    assert [message.id for message in waited] == [message.provider_message_id for message in said]
