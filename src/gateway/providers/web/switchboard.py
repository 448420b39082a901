"""The switchboard: one stream of all that the engine tells, plugged through to the lines; their say goes back by it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Final

import structlog
from grpc import aio

from gateway.ports.provider import LineGone
from gateway.providers.web.failures import EngineFailed
from wagate.engine.v1 import engine_service_pb2 as pb
from wagate.engine.v1 import item_pb2

if TYPE_CHECKING:
    from wagate.engine.v1.engine_service_pb2_grpc import EngineServiceAsyncStub

_log = structlog.get_logger(__name__)

ROOM: Final = 1024
"""How many items may wait for one line. The engine holds each line until its item is settled, so only what needs no
settling piles up. A line that has no room left is ended: its owner opens it anew, and hears how things stand.
"""
_UNTIL_FOLLOWING: Final = 10.0


class Inbox:
    """What one line is told, in order. `ended` says why it is told nothing more; empty while it is. `refused_run` is
    the run of items in which one was refused: all that follow in it are to be refused too.
    """

    def __init__(self) -> None:
        self.ended = ""
        self.refused_run = 0
        self._items: deque[item_pb2.Item] = deque()
        self._changed = asyncio.Event()

    def put(self, item: item_pb2.Item) -> None:
        """Put an item behind the others, or end if there is no room for it."""
        if self.ended:
            return
        if len(self._items) >= ROOM:
            self.end("its owner did not keep up with what it was told")
            return
        self._items.append(item)
        self._changed.set()

    def end(self, why: str) -> None:
        """Tell nothing more after what waits. The first reason stays."""
        self.ended = self.ended or why
        self._changed.set()

    async def next(self) -> item_pb2.Item:
        """Wait for the next item, and take it. Raises LineGone once there will be none."""
        while not self._items:
            if self.ended:
                raise LineGone(self.ended)
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()


class Switchboard:
    """Follows one engine and keeps its lines' inboxes apart, so that a slow one delays nobody."""

    def __init__(self, stub: EngineServiceAsyncStub) -> None:
        self._stub = stub
        self._inboxes: dict[tuple[str, int], Inbox] = {}
        self._said: asyncio.Queue[pb.FollowRequest.Settlement | None] = asyncio.Queue()
        self._following = asyncio.Event()

    def plug_in(self, session_id: str, fence: int) -> Inbox:
        """An inbox for what is told of a session under this fence, from now on."""
        self.unplug(session_id, fence, "it was opened anew")
        inbox = self._inboxes[session_id, fence] = Inbox()
        return inbox

    def unplug(self, session_id: str, fence: int, why: str) -> None:
        """End an inbox. What is still told of it is refused, so that WhatsApp tells it again to the next line."""
        if inbox := self._inboxes.pop((session_id, fence), None):
            inbox.end(why)

    def settle(self, item: item_pb2.Item, *, refused: bool = False) -> None:
        """Tell the engine what became of an item, if it wants to know. An engine that is gone never hears of it."""
        if refused and (inbox := self._inboxes.get((item.session_id, item.fence))):
            inbox.refused_run = item.run or inbox.refused_run
        if item.ack_required:
            self._said.put_nowait(pb.FollowRequest.Settlement(item_id=item.item_id, refused=refused))

    async def following(self) -> None:
        """Wait until the engine tells us what happens, 10 s at most."""
        try:
            async with asyncio.timeout(_UNTIL_FOLLOWING):
                await self._following.wait()
        except TimeoutError:
            raise EngineFailed("the engine does not let itself be followed") from None

    async def follow(self) -> None:
        """Plug through what the engine tells, until it stops: then all lines end, and EngineFailed is raised."""
        call = self._stub.Follow(self._outgoing())
        try:
            await call.initial_metadata()
            self._following.set()
            async for frame in call:
                for item in frame.items:
                    self._put(item)
            raise EngineFailed("the engine tells nothing more")
        except aio.AioRpcError as error:
            raise EngineFailed(f"the engine tells nothing more: {error.details()}") from error
        finally:
            call.cancel()
            self._said.put_nowait(None)
            self._end_all("the engine is gone")

    async def _outgoing(self) -> AsyncIterator[pb.FollowRequest]:
        """What is said of items, until a None: gRPC does not end it by itself with a call that the engine ended."""
        yield pb.FollowRequest()
        while True:
            said = [await self._said.get(), *(self._said.get_nowait() for _ in range(self._said.qsize()))]
            settlements = [settlement for settlement in said if settlement is not None]
            if len(settlements) < len(said):
                return
            yield pb.FollowRequest(settlements=settlements)

    def _put(self, item: item_pb2.Item) -> None:
        inbox = self._inboxes.get((item.session_id, item.fence))
        if inbox is None or inbox.ended:
            self.settle(item, refused=True)
            return
        inbox.put(item)
        if inbox.ended:
            _log.warning("A line is ended", session_uid=item.session_id, why=inbox.ended)

    def _end_all(self, why: str) -> None:
        for inbox in self._inboxes.values():
            inbox.end(why)
        self._inboxes.clear()
