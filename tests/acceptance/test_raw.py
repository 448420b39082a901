"""The provider's own bytes are shown to those alone who hold messages:raw."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.acceptance.conftest import World
from tests.stage.gateway import gateway_process
from tests.stage.lab import Lab
from wagate.v1.event_service_pb2 import EventFilter, ListEventsRequest

SCOPES = "sessions:read,sessions:write,sessions:pair,messages:read,events:read"
CONTACT = b"\x22\x07\x0a\x05Carol"
"""A `waE2E.Message` with a contact: a kind that the gateway does not express."""


@pytest.fixture
async def narrow_world(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A gateway whose callers may do much, and not see raw bytes."""
    environment = {**lab.environment, "WAGATE_ACCESS__SCOPES": SCOPES}
    async with gateway_process(tmp_path_factory.mktemp("narrow") / "gateway", environment) as gateway:
        yield World(gateway, lab)


async def test_who_may_not_see_raw_bytes_is_told_the_kind_alone(narrow_world: World) -> None:
    shop, ada = await narrow_world.shop(), await narrow_world.lab.person("Ada")
    async with shop.events("message.received") as events:
        await ada.say_raw(shop.phone_number, CONTACT)
        told = (await events.next()).message_received.message
    kinds = EventFilter(kinds=["message.received"])
    (listed,) = (await narrow_world.gateway.feeds.ListEvents(ListEventsRequest(filter=kinds))).events
    for message in (told, listed.message_received.message, await shop.message(told.message_id), *await shop.messages()):
        assert message.content.unsupported.provider_kind == "contactMessage"
        assert message.content.unsupported.raw == b""
    async with shop.watch(told.message_id) as watch:
        assert (await watch.end())[0].content.unsupported.raw == b""


async def test_who_may_see_raw_bytes_has_them_wherever_the_message_is_shown(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with shop.events("message.received") as events:
        await ada.say_raw(shop.phone_number, CONTACT)
        told = (await events.next()).message_received.message
    for message in (told, await shop.message(told.message_id), *await shop.messages()):
        assert CONTACT[2:] in message.content.unsupported.raw
