"""Many sessions at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from tests.stage.gateway import Gateway
from tests.stage.lab import Lab
from tests.stage.shop import Shop, State, new_shop
from wagate.v1 import event_service_pb2

_PAIRING_AT_ONCE: Final = 4


async def many_shops(gateway: Gateway, lab: Lab, count: int) -> list[Shop]:
    """So many new sessions, linked."""
    few = asyncio.Semaphore(_PAIRING_AT_ONCE)

    async def one() -> Shop:
        async with few:
            return await new_shop(gateway, lab)

    async with asyncio.TaskGroup() as group:
        pairing = [group.create_task(one()) for _ in range(count)]
    return [task.result() for task in pairing]


async def cursor_now(gateway: Gateway) -> str:
    """Where the log ends now."""
    stream = gateway.feeds.StreamEvents(event_service_pb2.StreamEventsRequest())
    opened = await stream.read()
    stream.cancel()
    assert isinstance(opened, event_service_pb2.StreamEventsResponse)
    return opened.opened.cursor


async def all_reach(
    gateway: Gateway,
    shops: Sequence[Shop],
    after: str,
    *,
    within: float,
    state: State.ValueType = State.STATE_CONNECTED,
) -> None:
    """Wait until sessions have all reached a state, as the events behind a cursor tell."""
    awaited = {shop.session_id for shop in shops}
    async with asyncio.timeout(within), gateway.events(after, kinds=["session.state_changed"]) as events:
        while awaited:
            event = await events.next(within=within)
            if event.session_state_changed.status.state == state:
                awaited.discard(event.session_id)
