"""Streams are told in order, and ended when they are not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2 as details
from google.rpc import status_pb2

from tests.unit.transport.served import Served, serving
from wagate.v1 import event_service_pb2 as events

Frame = events.StreamEventsResponse


def checkpoint(cursor: str) -> Frame:
    return Frame(checkpoint=Frame.Checkpoint(cursor=cursor))


async def test_frames_come_in_order_and_the_stream_ends_well(served: Served) -> None:
    async def frames() -> AsyncIterator[Frame]:
        for n in range(100):
            yield checkpoint(str(n))

    served.told.frames = frames
    call = served.events.StreamEvents(events.StreamEventsRequest())
    assert [frame.checkpoint.cursor async for frame in call] == [str(n) for n in range(100)]
    assert await call.code() is grpc.StatusCode.OK
    assert "x-correlation-id" in dict(await call.trailing_metadata())


async def end_of(call: Any, cursors: list[str]) -> grpc.aio.AioRpcError:
    """Read all that is left, and the error behind it."""
    try:
        while frame := await call.read():
            cursors.append(frame.checkpoint.cursor)
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("it ended well")


async def test_a_stream_that_nobody_reads_is_ended_with_the_cursor_to_resume_from(tmp_path: Path) -> None:
    ended = asyncio.Event()

    async def frames() -> AsyncIterator[Frame]:
        try:
            for n in range(1_000_000):
                yield checkpoint(f"{n}:" + "x" * 10_000)
        finally:
            ended.set()

    async with serving(tmp_path, feeds={"slow_after": "200ms"}) as served:
        served.told.frames = frames
        call = served.events.StreamEvents(events.StreamEventsRequest())
        await call.read()
        await asyncio.wait_for(ended.wait(), 30)
        cursors: list[str] = []
        slow = await end_of(call, cursors)
    trailers = dict(slow.trailing_metadata() or ())
    refused = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    info = details.ErrorInfo()
    refused.details[0].Unpack(info)
    assert (slow.code(), info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "CONSUMER_TOO_SLOW")
    assert info.metadata["resume_cursor"].partition(":")[0] == cursors[-1].partition(":")[0]


async def test_a_stream_is_not_slow_because_nothing_happens(tmp_path: Path) -> None:
    more = asyncio.Event()

    async def frames() -> AsyncIterator[Frame]:
        yield checkpoint("1")
        await more.wait()
        yield checkpoint("2")

    async with serving(tmp_path, feeds={"slow_after": "50ms"}) as served:
        served.told.frames = frames
        call = served.events.StreamEvents(events.StreamEventsRequest())
        await call.read()
        asyncio.get_running_loop().call_later(0.2, more.set)
        assert (await call.read()).checkpoint.cursor == "2"


async def test_a_stream_whose_reader_leaves_ends_its_source(served: Served) -> None:
    ended = asyncio.Event()

    async def frames() -> AsyncIterator[Frame]:
        try:
            yield checkpoint("1")
            await asyncio.Event().wait()
        finally:
            ended.set()

    served.told.frames = frames
    call = served.events.StreamEvents(events.StreamEventsRequest())
    await call.read()
    call.cancel()
    await asyncio.wait_for(ended.wait(), 5)
