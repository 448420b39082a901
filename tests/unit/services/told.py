"""A log of many events, and feeds whose tail holds little of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import timedelta

from gateway.domain.access import DEFAULT_TENANT, Call
from gateway.domain.ids import IDENTITY, make_id
from gateway.domain.sessions import Session
from gateway.ports.unit_of_work import UnitOfWork
from gateway.services import log
from gateway.services.feeds import Feeds
from gateway.services.tail import Tail
from tests.unit.services.house import House
from wagate.v1 import event_pb2
from wagate.v1 import event_service_pb2 as pb

CHATS = tuple(make_id(IDENTITY) for _ in range(3))
KINDS = ("message_received", "message_accepted", "message_status_changed", "session_state_changed", "identity_merged")


async def tell(house: House, count: int, sessions: list[Session], *, seed: int = 7) -> None:
    """Tell so many events of several sessions, kinds and chats, in one unit."""
    chance = random.Random(seed)

    async def work(uow: UnitOfWork) -> None:
        for _ in range(count):
            what = event_pb2.Event()
            kind, chat_id = chance.choice(KINDS), chance.choice(("", *CHATS))
            getattr(what, kind).SetInParent()
            if kind == "identity_merged":
                await log.tell_tenant(uow, DEFAULT_TENANT, what, chat_id=chat_id)
            else:
                await log.tell(uow, chance.choice(sessions), what, chat_id=chat_id)

    await house.store.write(work)


async def feed(feeds: Feeds, call: Call, request: pb.StreamEventsRequest) -> AsyncGenerator[pb.StreamEventsResponse]:
    """The frames of a feed, read by the contract's own class, which writes them as the feed does."""
    async with aclosing(feeds.stream(call, request)) as frames:
        async for told in frames:
            frame = pb.StreamEventsResponse.FromString(told)
            assert frame.SerializeToString() == told
            yield frame


@asynccontextmanager
async def with_a_short_tail(house: House, kept_bytes: int) -> AsyncIterator[tuple[Tail, Feeds]]:
    """Feeds whose tail holds little."""
    tail = Tail(house.store, house.queue, house.stopping, kept_bytes=kept_bytes)
    reading = asyncio.create_task(tail.run())
    every = timedelta(seconds=15)
    async with tail.followed():
        yield tail, Feeds(house.store, tail, house.store.signer, house.meter, house.stopping, checkpoint_interval=every)
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
