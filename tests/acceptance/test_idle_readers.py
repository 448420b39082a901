"""Readers that wait for something to happen cost little memory, and all hear of it at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from grpc import aio

from tests.acceptance.conftest import World
from tests.stage.gateway import Gateway
from tests.stage.processes import resident
from wagate.v1.event_service_pb2 import EventFilter, StreamEventsRequest
from wagate.v1.event_service_pb2_grpc import EventServiceStub

READERS: Final = 400
EACH_CONNECTION: Final = 50
KIBIBYTE: Final = 1024


@asynccontextmanager
async def readers(gateway: Gateway, count: int) -> AsyncIterator[list[Any]]:
    """So many readers of messages that are accepted, on a few connections, who have read all there is."""
    asked = StreamEventsRequest(filter=EventFilter(kinds=["message.accepted"]), max_events_per_frame=10)
    async with AsyncExitStack() as stack:
        streams = []
        for _ in range(count // EACH_CONNECTION):
            own = [("grpc.use_local_subchannel_pool", 1)]
            channel = await stack.enter_async_context(aio.insecure_channel(gateway.address, options=own))
            streams += [EventServiceStub(channel).StreamEvents(asked) for _ in range(EACH_CONNECTION)]
        await asyncio.gather(*map(until_live, streams))
        yield streams
        for stream in streams:
            stream.cancel()


async def until_live(stream: Any) -> None:
    while not (await stream.read()).checkpoint.live:
        pass


async def heard(stream: Any) -> str:
    """The id of the message of the next event."""
    while not (frame := await stream.read()).events.events:
        pass
    event = frame.events.events[0]
    return str(event.message_accepted.message.message_id)


async def test_hundreds_of_readers_cost_40_kib_each_and_all_hear_of_a_message(own_world: World) -> None:
    gateway = own_world.gateway
    shop, ada = await own_world.shop(), await own_world.lab.person("Ada")
    async with readers(gateway, EACH_CONNECTION):
        before = resident(gateway.process.process_id)
        async with readers(gateway, READERS) as streams:
            added = resident(gateway.process.process_id) - before
            accepted = await shop.accept(ada.phone_number, "hello")
            assert set(await asyncio.gather(*map(heard, streams))) == {accepted.message_id}
    assert added / READERS <= 40 * KIBIBYTE
