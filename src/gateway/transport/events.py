"""EventService over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from gateway.services.feeds import Feeds
from gateway.transport.exchange import ServicerContext, current_call
from wagate.v1 import event_service_pb2 as pb
from wagate.v1.event_service_pb2_grpc import EventServiceServicer


class EventServicer(EventServiceServicer):
    """Hands each call on to its use case."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    def StreamEvents(  # type: ignore[override]  # frames come as bytes, which many streams share
        self, request: pb.StreamEventsRequest, _context: ServicerContext
    ) -> AsyncGenerator[bytes]:
        return self._feeds.stream(current_call(), request)

    async def ListEvents(self, request: pb.ListEventsRequest, _context: ServicerContext) -> pb.ListEventsResponse:
        return await self._feeds.list(current_call(), request)
