"""A request_id stands for one message, however often and however simultaneously it is asked for."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.acceptance.conftest import World
from tests.stage.refusing import refused
from tests.stage.shop import Shop
from wagate.v1 import content_pb2, message_pb2, message_service_pb2

State = message_pb2.Message.State
WaitFor = message_service_pb2.SendMessageRequest.WaitFor


async def send(shop: Shop, to: str, text: str, **fields: Any) -> message_service_pb2.SendMessageResponse:
    """Ask for a text to be sent; the whole answer."""
    content = content_pb2.Content(text=content_pb2.Text(text=text))
    request = message_service_pb2.SendMessageRequest(session_id=shop.session_id, to=to, content=content, **fields)
    return await shop.gateway.messages.SendMessage(request)


async def test_one_request_id_ten_times_at_once_is_one_message(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    async with ada.inbox() as inbox:
        answers = await asyncio.gather(*(send(shop, ada.phone_number, "hello", request_id="once") for _ in range(10)))
        await shop.accept(ada.phone_number, "and that was all")
        await inbox.until(lambda received: received.text == "and that was all")
        texts = [received.text for received in inbox.seen]
    assert sorted(answer.repeated_request for answer in answers) == [False, *[True] * 9]
    assert len({answer.message.message_id for answer in answers}) == 1
    assert texts == ["hello", "and that was all"]
    assert len(await shop.messages()) == 2


async def test_a_repeat_shows_the_message_as_it_is_now_and_waits_again(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await ada.go(online=False)
    first = await send(shop, ada.phone_number, "hello", request_id="twice", wait_for=WaitFor.WAIT_FOR_SENT)
    assert (first.message.state, first.wait_satisfied) == (State.STATE_SENT, True)
    again = asyncio.create_task(
        send(shop, ada.phone_number, "hello", request_id="twice", wait_for=WaitFor.WAIT_FOR_DELIVERED)
    )
    await ada.go(online=True)
    repeated = await again
    assert (repeated.repeated_request, repeated.wait_satisfied) == (True, True)
    assert repeated.message.message_id == first.message.message_id
    assert repeated.message.reach.delivered_count == 1
    assert repeated.message.revision > first.message.revision


async def test_one_request_id_does_not_stand_for_two_texts(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await send(shop, ada.phone_number, "hello", request_id="greeting")
    with refused() as refusal:
        await send(shop, ada.phone_number, "good morning", request_id="greeting")
    assert (refusal.code.name, refusal.reason) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert [message.content.text.text for message in await shop.messages()] == ["hello"]


async def test_two_sessions_may_use_one_request_id(world: World) -> None:
    shops, ada = [await world.shop(), await world.shop()], await world.lab.person("Ada")
    answers = [await send(shop, ada.phone_number, "hello", request_id="same") for shop in shops]
    assert [answer.repeated_request for answer in answers] == [False, False]
    assert len({answer.message.message_id for answer in answers}) == 2


async def test_what_was_refused_leaves_its_request_id_free(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    with refused() as refusal:
        await send(shop, "015112345678", "hello", request_id="free")
    assert refusal.reason == "ADDRESS_INVALID"
    assert not (await send(shop, ada.phone_number, "hello", request_id="free")).repeated_request
