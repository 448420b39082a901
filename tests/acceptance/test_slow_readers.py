"""Readers that stop reading cost little, are sent away with a cursor to resume from, and are felt by nobody else."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from tests.stage.gateway import Gateway, gateway_process
from tests.stage.lab import Lab
from tests.stage.numbers import Numbers
from tests.stage.shop import Shop, new_shop
from wagate.v1.event_service_pb2 import EventFilter, StreamEventsRequest, StreamEventsResponse
from wagate.v1.event_service_pb2_grpc import EventServiceStub

READERS: Final = 100
SLOW_AFTER: Final = "15s"
LONG: Final = "a long story, " * 4000
"""56,000 characters: a few fill what a connection holds by itself."""
LONG_MESSAGES: Final = 320
"""More than the log's tail keeps in memory, so that each reader reads the database."""
TO: Final = "+447700900001"
ROUNDS, SAMPLES = 3, 60
MEBIBYTE: Final = 1024 * 1024


@pytest.fixture
async def gateway(lab: Lab, tmp_path: Path) -> AsyncIterator[Gateway]:
    folder = tmp_path / "gateway"
    settings = {"WAGATE_FEEDS__SLOW_AFTER": SLOW_AFTER, "WAGATE_METRICS__LISTEN": "127.0.0.1:0"}
    async with gateway_process(folder, {**lab.environment, **settings}) as gateway:
        yield gateway


@pytest.fixture
async def shop(gateway: Gateway, lab: Lab) -> Shop:
    """A shop whose messages wait, with a long log."""
    shop = await new_shop(gateway, lab)
    await shop.stop()
    for _ in range(LONG_MESSAGES // 8):
        await asyncio.gather(*(shop.accept(TO, LONG) for _ in range(8)))
    return shop


@pytest.mark.timeout(180)
async def test_a_hundred_stopped_readers_cost_little_are_sent_away_and_are_felt_by_nobody(
    gateway: Gateway, shop: Shop
) -> None:
    numbers = Numbers(f"http://{json.loads(await gateway.process.said())['metrics']}/metrics")
    before, alone = memory(gateway), await slowest(shop)
    async with stopped_readers(gateway) as streams:
        beside = await slowest(shop)
        added = (memory(gateway) - before) / len(streams)
        assert (await numbers.now())["wagate_streams"] >= READERS, "they were sent away before they were measured"
        await numbers.until("wagate_streams", 0, within=30)
        ends = await asyncio.gather(*(read_to_the_end(stream) for stream in streams))
    assert added <= 10 * MEBIBYTE
    assert beside <= 3 * alone + 0.02
    assert {(code, reason) for _, code, reason, _ in ends} == {
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "CONSUMER_TOO_SLOW")
    }
    everything = await accepted_after("", gateway)
    for told, _, _, cursor in ends[: len(_MOST)]:
        assert 0 < len(told) < len(everything)
        assert told + await accepted_after(cursor, gateway) == everything


@asynccontextmanager
async def stopped_readers(gateway: Gateway) -> AsyncIterator[list[Any]]:
    """Readers of the whole log that stop after the first frame, each on a connection of its own; half of them take
    several events in a frame.
    """
    async with AsyncExitStack() as stack:
        streams = []
        for number in range(READERS):
            channel = await stack.enter_async_context(
                aio.insecure_channel(gateway.address, options=[("grpc.use_local_subchannel_pool", 1)])
            )
            asked = StreamEventsRequest(earliest=True, filter=_ACCEPTED, max_events_per_frame=_MOST[number % 2])
            stream = EventServiceStub(channel).StreamEvents(asked)
            stack.callback(stream.cancel)
            await stream.read()
            streams.append(stream)
        yield streams


_ACCEPTED: Final = EventFilter(kinds=["message.accepted"])
_MOST: Final = (1, 20)


async def slowest(shop: Shop) -> float:
    """How many seconds a reader who reads waits for an event, at most but for one in fifty; the best of some rounds."""
    async with shop.events("message.accepted") as events:
        return min([await _round(shop, events) for _ in range(ROUNDS)])


async def _round(shop: Shop, events: Any) -> float:
    waited = []
    for _ in range(SAMPLES):
        begun = time.perf_counter()
        accepted = await shop.accept(TO, "short")
        await events.until(
            lambda event, wanted=accepted.message_id: event.message_accepted.message.message_id == wanted
        )
        waited.append(time.perf_counter() - begun)
    return sorted(waited)[-2]


async def read_to_the_end(stream: Any) -> tuple[list[str], grpc.StatusCode, str, str]:
    """The ids of all events that a stream still tells, and its end: code, reason, cursor to resume from."""
    told: list[str] = []
    try:
        async with asyncio.timeout(60):
            while (frame := await stream.read()) is not aio.EOF:
                _note(frame, told)
    except aio.AioRpcError as error:
        info = _info(error)
        return told, error.code(), info.reason, info.metadata["resume_cursor"]
    raise AssertionError("it ended well")


async def accepted_after(cursor: str, gateway: Gateway) -> list[str]:
    """The ids of all events behind a cursor, up to now."""
    request = StreamEventsRequest(filter=_ACCEPTED)
    if cursor:
        request.after_cursor = cursor
    else:
        request.earliest = True
    told: list[str] = []
    stream = gateway.feeds.StreamEvents(request)
    try:
        async for frame in stream:
            _note(frame, told)
            if frame.checkpoint.live:
                break
    finally:
        stream.cancel()
    return told


def _note(frame: StreamEventsResponse, told: list[str]) -> None:
    events = [frame.event] if frame.HasField("event") else frame.events.events
    told.extend(event.event_id for event in events)


def _info(error: aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Unpack(info):
                    break
    return info


def memory(gateway: Gateway) -> int:
    """The bytes of memory that the gateway takes."""
    status = Path(f"/proc/{gateway.process.process_id}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
