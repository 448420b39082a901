"""An engine that says what a test wants, over a real socket: all of its protocol, and none of its doing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from wagate.engine.v1 import engine_service_pb2 as pb
from wagate.engine.v1 import item_pb2

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_SERVICE = pb.DESCRIPTOR.services_by_name["EngineService"]


def error(code: grpc.StatusCode, reason: str) -> status_pb2.Status:
    """An engine's no."""
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="engine.wagate.dev"))
    return status_pb2.Status(code=code.value[0], message=f"no: {reason}", details=[detail] if reason else [])


class ScriptedEngine:
    """Answers each call with what `answers` holds for its name, or an empty response. `requests` are those that came,
    `said` what was said of items in Follow; while `held` is set, calls wait.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Message] = {}
        self.requests: list[Any] = []
        self.came = asyncio.Event()
        self.said: asyncio.Queue[pb.FollowRequest.Settlement] = asyncio.Queue()
        self.released = asyncio.Event()
        self.released.set()
        self._items: asyncio.Queue[item_pb2.Item | None] = asyncio.Queue()
        self._last_id = 0

    def tell(self, item: item_pb2.Item) -> int:
        """Tell an item; answers the id that it got."""
        self._last_id += 1
        item.item_id = self._last_id
        self._items.put_nowait(item)
        return self._last_id

    def stop_telling(self) -> None:
        """End the stream, as an engine that goes away does."""
        self._items.put_nowait(None)

    async def settled(self) -> tuple[int, bool]:
        """The next item that was settled, and whether it was refused."""
        async with asyncio.timeout(5):
            said = await self.said.get()
        return said.item_id, said.refused

    async def follow(self, frames: AsyncIterator[pb.FollowRequest], context: Any) -> AsyncIterator[pb.FollowResponse]:
        await context.send_initial_metadata(())
        reading = asyncio.create_task(self._read(frames))
        try:
            while (item := await self._items.get()) is not None:
                yield pb.FollowResponse(items=[item])
        finally:
            reading.cancel()

    async def answer(self, name: str, request: Message, context: Any) -> Message:
        self.requests.append(request)
        self.came.set()
        await self.released.wait()
        answer = self.answers.get(name)
        if isinstance(answer, status_pb2.Status):
            details = (("grpc-status-details-bin", answer.SerializeToString()),)
            await context.abort(_CODES[answer.code], answer.message, trailing_metadata=details)
        return answer or GetMessageClass(_SERVICE.methods_by_name[name].output_type)()

    async def _read(self, frames: AsyncIterator[pb.FollowRequest]) -> None:
        async for frame in frames:
            for said in frame.settlements:
                self.said.put_nowait(said)

    def handlers(self) -> grpc.GenericRpcHandler:
        """All methods of the service."""
        methods = {name: self._unary(name) for name in _SERVICE.methods_by_name if name != "Follow"}
        methods["Follow"] = grpc.stream_stream_rpc_method_handler(
            self.follow,
            request_deserializer=pb.FollowRequest.FromString,
            response_serializer=pb.FollowResponse.SerializeToString,
        )
        return grpc.method_handlers_generic_handler(_SERVICE.full_name, methods)

    def _unary(self, name: str) -> grpc.RpcMethodHandler[Any, Any]:
        async def serve(request: Message, context: Any) -> Message:
            return await self.answer(name, request, context)

        return grpc.unary_unary_rpc_method_handler(
            serve,
            request_deserializer=GetMessageClass(_SERVICE.methods_by_name[name].input_type).FromString,
            response_serializer=lambda response: response.SerializeToString(),
        )


@asynccontextmanager
async def served(engine: ScriptedEngine, socket: Path) -> AsyncIterator[aio.Channel]:
    """Serve an engine at a socket, and connect to it."""
    server = aio.server()
    server.add_generic_rpc_handlers((engine.handlers(),))
    server.add_insecure_port(f"unix:{socket}")
    await server.start()
    try:
        async with aio.insecure_channel(f"unix:{socket}") as channel:
            yield channel
    finally:
        await server.stop(None)
