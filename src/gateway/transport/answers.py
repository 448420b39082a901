"""Answers: the last step of a call, in which its servicer is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from google.protobuf.message import Message

from gateway.transport.exchange import Exchange, Step
from gateway.transport.mapping.frames import too_slow
from gateway.transport.rpcs import Rpc


def answering(rpc: Rpc, slow_after: float) -> Step:
    """The step that asks the servicer; a stream that is not read for `slow_after` seconds is ended. Frames may come as
    bytes, from servicers that tell many callers the same.
    """
    return _frames(rpc, slow_after) if rpc.streams else _answer(rpc)


def _answer(rpc: Rpc) -> Step:
    async def answer(exchange: Exchange) -> None:
        response: Message = await rpc.serve(exchange.request, exchange.context)
        exchange.answer = response.SerializeToString()

    return answer


def _frames(rpc: Rpc, slow_after: float) -> Step:
    async def tell(exchange: Exchange) -> None:
        frames: AsyncGenerator[Message | bytes] = rpc.serve(exchange.request, exchange.context)
        async with aclosing(frames):
            async for frame in frames:
                packed = frame if isinstance(frame, bytes) else frame.SerializeToString()
                try:
                    async with asyncio.timeout(slow_after):
                        await exchange.context.write(packed)
                except TimeoutError:
                    # What gRPC took comes before the status, whenever that is read: this frame is told.
                    raise too_slow(frame) from None

    return tell
