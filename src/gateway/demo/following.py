"""A stream of events that is followed while the story goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import grpc

from gateway.demo.broken import StoryBroken
from wagate.v1 import event_pb2
from wagate.v1 import event_service_pb2 as pb

if TYPE_CHECKING:
    from wagate.v1.event_service_pb2_grpc import EventServiceAsyncStub

_PATIENCE: Final = 20.0

Happened = Callable[[event_pb2.Event], bool]
Show = Callable[[event_pb2.Event], None]


class Following:
    """The events of a stream, in order; `opened` is where it began."""

    def __init__(self, opened: str) -> None:
        self.opened = opened
        self.seen: list[event_pb2.Event] = []
        self._grown = asyncio.Condition()

    async def add(self, event: event_pb2.Event) -> None:
        """Take the next one in."""
        async with self._grown:
            self.seen.append(event)
            self._grown.notify_all()

    async def until(self, happened: Happened, sentence: str) -> event_pb2.Event:
        """Wait for an event, one that was seen already included; `sentence` says what did not happen if none comes."""
        try:
            async with asyncio.timeout(_PATIENCE), self._grown:
                await self._grown.wait_for(lambda: any(happened(event) for event in self.seen))
        except TimeoutError:
            raise StoryBroken(f"{sentence} within {_PATIENCE:.0f} s") from None
        return next(event for event in self.seen if happened(event))


@asynccontextmanager
async def following(events: EventServiceAsyncStub, show: Show, *, after_cursor: str = "") -> AsyncIterator[Following]:
    """Follow all events, from now on or after a cursor, while the context lasts."""
    request = pb.StreamEventsRequest(after_cursor=after_cursor) if after_cursor else pb.StreamEventsRequest()
    call = events.StreamEvents(request)
    first = await call.read()
    if not isinstance(first, pb.StreamEventsResponse) or not first.HasField("opened"):
        raise StoryBroken("the stream of events did not open")
    followed = Following(first.opened.cursor)

    async def follow() -> None:
        while isinstance(frame := await call.read(), pb.StreamEventsResponse):
            if frame.HasField("event"):
                show(frame.event)
                await followed.add(frame.event)

    task = asyncio.create_task(follow(), name="events")
    try:
        yield followed
    finally:
        call.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and isinstance(error := task.exception(), grpc.aio.AioRpcError):
            raise error
