"""MessageService over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from gateway.services.messages import Messages
from gateway.services.reading import Reading
from gateway.transport.exchange import ServicerContext, current_call
from wagate.v1 import message_service_pb2 as pb
from wagate.v1.message_service_pb2_grpc import MessageServiceServicer


class MessageServicer(MessageServiceServicer):
    """Hands each call on to its use case."""

    def __init__(self, messages: Messages, reading: Reading) -> None:
        self._messages = messages
        self._reading = reading

    async def SendMessage(self, request: pb.SendMessageRequest, _context: ServicerContext) -> pb.SendMessageResponse:
        return await self._messages.send(current_call(), request)

    async def GetMessage(self, request: pb.GetMessageRequest, _context: ServicerContext) -> pb.GetMessageResponse:
        return await self._messages.get(current_call(), request)

    async def ListMessages(self, request: pb.ListMessagesRequest, _context: ServicerContext) -> pb.ListMessagesResponse:
        return await self._messages.list(current_call(), request)

    async def CancelMessage(
        self, request: pb.CancelMessageRequest, _context: ServicerContext
    ) -> pb.CancelMessageResponse:
        return await self._messages.cancel(current_call(), request)

    async def RetryMessage(self, request: pb.RetryMessageRequest, _context: ServicerContext) -> pb.RetryMessageResponse:
        return await self._messages.retry(current_call(), request)

    async def MarkMessagesRead(
        self, request: pb.MarkMessagesReadRequest, _context: ServicerContext
    ) -> pb.MarkMessagesReadResponse:
        return await self._reading.mark_read(current_call(), request)

    async def ListReceipts(self, request: pb.ListReceiptsRequest, _context: ServicerContext) -> pb.ListReceiptsResponse:
        return await self._messages.receipts(current_call(), request)

    def WatchMessage(
        self, request: pb.WatchMessageRequest, _context: ServicerContext
    ) -> AsyncGenerator[pb.WatchMessageResponse]:
        return self._messages.watch(current_call(), request)
