"""What became of a message can be followed, listed and looked up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.acceptance.conftest import World
from tests.stage.shop import Shop
from tests.stage.watching import watching
from wagate.v1 import message_pb2, message_service_pb2

Message = message_pb2.Message
Level = message_pb2.Reach.Level
Until = message_service_pb2.WatchMessageRequest.Until


async def page(shop: Shop, **asked: Any) -> message_service_pb2.ListMessagesResponse:
    """A page of a session's messages."""
    fields = {"session_id": shop.session_id, **asked}
    return await shop.gateway.messages.ListMessages(message_service_pb2.ListMessagesRequest(**fields))


def texts(messages: Sequence[message_pb2.Message]) -> list[str]:
    """What messages say."""
    return [message.content.text.text for message in messages]


async def test_a_watch_shows_every_revision_in_order_and_ends_when_it_is_read(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await shop.stop()
    accepted = await shop.accept(ada.phone_number, "hello")
    async with shop.watch(accepted.message_id) as one, shop.watch(accepted.message_id) as two, ada.inbox() as inbox:
        assert (await one.next()) == accepted == (await two.next())
        await shop.start()
        await ada.read(await inbox.next())
        shown = await one.end()
        assert await two.end() == shown
    assert [message.revision for message in shown] == [1, 2, 3, 4, 5]
    assert [message.state for message in shown] == [
        Message.STATE_QUEUED,
        Message.STATE_SENDING,
        *[Message.STATE_SENT] * 3,
    ]
    assert [message.reach.furthest for message in shown[2:]] == [
        Level.LEVEL_UNSPECIFIED,
        Level.LEVEL_DELIVERED,
        Level.LEVEL_READ,
    ]
    now = await shop.message(accepted.message_id)
    assert (now.revision, now.state, now.reach) == (shown[-1].revision, shown[-1].state, shown[-1].reach)


async def test_a_watch_ends_where_it_was_asked_to(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    await ada.go(online=False)
    accepted = await shop.accept(ada.phone_number, "hello")
    request = message_service_pb2.WatchMessageRequest(
        session_id=shop.session_id, message_id=accepted.message_id, until=Until.UNTIL_SENT
    )
    async with watching(world.gateway.messages.WatchMessage(request), lambda frame: frame.message) as watch:
        assert (await watch.end())[-1].state == Message.STATE_SENT


async def test_receipts_tell_when_a_person_had_and_saw_it(world: World) -> None:
    shop, ada = await world.shop(), await world.lab.person("Ada")
    request = message_service_pb2.ListReceiptsRequest(session_id=shop.session_id)
    async with ada.inbox() as inbox:
        accepted = await shop.accept(ada.phone_number, "hello")
        request.message_id = accepted.message_id
        async with shop.watch(accepted.message_id) as watch:
            received = await inbox.next()
            await watch.until(lambda message: message.reach.furthest == Level.LEVEL_DELIVERED)
            (delivered,) = (await world.gateway.messages.ListReceipts(request)).receipts
            await ada.read(received)
            await watch.end()
    (read,) = (await world.gateway.messages.ListReceipts(request)).receipts
    assert delivered.participant.lid == ada.lid
    assert (delivered.HasField("deliver_time"), delivered.HasField("read_time")) == (True, False)
    assert read.deliver_time == delivered.deliver_time
    assert read.read_time.ToSeconds() >= read.deliver_time.ToSeconds()


async def test_messages_are_listed_by_chat_direction_and_state_in_pages(world: World) -> None:
    shop, ada, bob = await world.shop(), await world.lab.person("Ada"), await world.lab.person("Bob")
    async with shop.events("message.*") as events:
        await ada.say(shop.phone_number, "from ada")
        await events.until(lambda event: event.HasField("message_received"))
        for number in range(3):
            await shop.accept(ada.phone_number, f"to ada {number}")
        await shop.accept(bob.phone_number, "to bob")
        for _ in range(4):
            await events.until(lambda event: event.message_status_changed.reach.delivered_count == 1)
    await shop.stop()
    await shop.accept(bob.phone_number, "waiting")
    newest_first = ["waiting", "to bob", "to ada 2", "to ada 1", "to ada 0", "from ada"]
    assert texts((await page(shop)).messages) == newest_first
    assert texts((await page(shop, chat=ada.phone_number)).messages) == newest_first[2:]
    assert texts((await page(shop, chat=ada.lid, direction=Message.DIRECTION_INBOUND)).messages) == newest_first[5:]
    assert texts((await page(shop, states=[Message.STATE_QUEUED])).messages) == newest_first[:1]
    listed = await page(shop, page_size=4)
    rest = await page(shop, page_size=4, page_token=listed.next_page_token)
    assert (len(listed.messages), rest.next_page_token) == (4, "")
    assert texts([*listed.messages, *rest.messages]) == newest_first
    everywhere = await page(shop, session_id="-", page_size=500)
    assert texts([m for m in everywhere.messages if m.session_id == shop.session_id]) == newest_first
    await shop.start()
