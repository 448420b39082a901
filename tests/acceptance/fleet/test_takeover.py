"""When a worker dies or is drained, another takes its sessions over, and whoever talks goes on."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.stage.fleet import TAKEN_OVER_WITHIN, Fleet
from tests.stage.persons import Person
from tests.stage.refusing import Refusal, refused
from tests.stage.shop import Shop, State, reached
from wagate.v1 import contact_service_pb2

pytestmark = pytest.mark.timeout(120)

SOON = 20.0


async def knows(shop: Shop, person: Person) -> bool:
    """Ask WhatsApp whether somebody has an account, through the first API process."""
    request = contact_service_pb2.CheckContactsRequest(session_id=shop.session_id, phone_numbers=[person.phone_number])
    answer = await shop.gateway.contacts.CheckContacts(request, timeout=60)
    return answer.results[0].on_whatsapp


async def talk(fleet: Fleet, shop: Shop, ada: Person, word: str) -> None:
    """Say something each way, through two API processes."""
    async with fleet.through(2, shop).events("message.received") as events, ada.inbox() as inbox:
        await fleet.through(1, shop).accept(ada.phone_number, word)
        await inbox.until(lambda received: received.text == word, within=SOON)
        await ada.say(shop.phone_number, f"{word} yourself")
        told = await events.next(within=SOON)
        assert told.message_received.message.content.text.text == f"{word} yourself"


async def test_another_worker_goes_on_where_one_was_killed(fleet: Fleet) -> None:
    shop, ada = await fleet.shop(), await fleet.lab.person("Ada")
    await talk(fleet, shop, ada, "hello")
    owner = await fleet.owner(shop)
    async with fleet.through(2, shop).events("message.received") as events, ada.inbox() as inbox:
        await owner.kill()
        await fleet.through(1, shop).accept(ada.phone_number, "between")
        await ada.say(shop.phone_number, "in between")
        refusal = await _told_to_come_back(shop, ada)
        await inbox.until(lambda received: received.text == "between", within=TAKEN_OVER_WITHIN + SOON)
        assert (await events.next(within=TAKEN_OVER_WITHIN)).message_received.message.content.text.text == "in between"
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "OWNER_UNAVAILABLE")
    assert refusal.retry_after > 0
    assert (await fleet.owner(shop)).worker_id != owner.worker_id
    assert await _knows_at_last(shop, ada)
    await talk(fleet, shop, ada, "hello again")


async def _told_to_come_back(shop: Shop, ada: Person) -> Refusal:
    """Ask while nobody owns the session; with what that is refused."""
    with refused() as refusal:
        await knows(shop, ada)
    return refusal


async def _knows_at_last(shop: Shop, ada: Person) -> bool:
    """Ask again for as long as one is told to come back."""
    async with asyncio.timeout(TAKEN_OVER_WITHIN):
        while True:
            try:
                return await knows(shop, ada)
            except aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                await asyncio.sleep(0.2)


async def test_a_worker_that_is_stopped_hands_its_sessions_over_and_ends_well(fleet: Fleet) -> None:
    shop, ada = await fleet.shop(), await fleet.lab.person("Ada")
    await talk(fleet, shop, ada, "hello")
    owner = await fleet.owner(shop)
    async with shop.events("session.state_changed") as events:
        stopping = asyncio.create_task(owner.stop())
        await events.until(reached(State.STATE_CONNECTED), within=SOON)
        assert await stopping == 0
    assert (await fleet.owner(shop)).worker_id != owner.worker_id
    await talk(fleet, shop, ada, "hello again")
