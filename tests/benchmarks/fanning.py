"""Fanning: events told to 1, 100 and 1,000 subscribers of one API process, one event in each frame and several; what an
idle subscriber takes of memory; and how soon after its commit an event is told.

Another process stores the events, on a PostgreSQL with a Redis, so that the one that is measured does nothing else.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure, compared, percentiles
from tests.benchmarks.house import free_port
from tests.benchmarks.subscribers import subscribers
from tests.benchmarks.teller import Teller, a_teller
from tests.stage.fleet import running_fleet
from tests.stage.gateway import Gateway
from tests.stage.lab import lab_process
from tests.stage.numbers import Numbers
from tests.stage.postgres import postgres_server
from tests.stage.processes import resident
from tests.stage.redis import redis_server
from tests.stage.waiting import eventually
from wagate.v1.event_service_pb2 import EventFilter, StreamEventsRequest, StreamEventsResponse
from wagate.v1.session_service_pb2 import CreateSessionRequest

_SEVERAL: Final = 50
_BURSTS: Final = {1: 20_000, 100: 2_000, 1000: 400}
"""Subscribers, and events stored in one commit for all of them."""
_ROUNDS: Final = 3
_IDLE: Final = 1000
_REST_SECONDS: Final = 5.0
_BESIDE: Final = (0, 99)
"""How many others are told the same events while it is measured how soon they are told."""
_RATE, _SECONDS = 200, 15.0


@dataclass(frozen=True)
class _Scene:
    """An API process, and who stores events elsewhere."""

    folder: Path
    api: Gateway
    numbers: Numbers
    teller: Teller


async def measure(folder: Path) -> list[Figure]:
    """Measure memory first, while nothing was told."""
    async with _a_scene(folder) as scene:
        figures = [await _memory(scene)]
        for count, events in _BURSTS.items():
            figures += await _fan_out(scene, count, events)
        for others in _BESIDE:
            figures += await _soon(scene, others)
        return figures


@asynccontextmanager
async def _a_scene(folder: Path) -> AsyncIterator[_Scene]:
    environment = {
        "WAGATE_GRPC__LISTEN": f"127.0.0.1:{free_port()}",
        "WAGATE_METRICS__LISTEN": "127.0.0.1:0",
        "WAGATE_LOG__LEVEL": "info",
    }
    async with (
        lab_process(folder / "lab") as lab,
        postgres_server() as postgres,
        redis_server(folder / "redis") as redis,
        running_fleet(folder, lab, postgres, redis, apis=1, workers=0, environment=environment) as fleet,
    ):
        (api,) = fleet.apis
        said = json.loads(await api.process.said())
        session = (await api.sessions.CreateSession(CreateSessionRequest())).session
        async with a_teller(fleet.database, redis.url, session.session_id) as teller:
            yield _Scene(folder, api, Numbers(f"http://{said['metrics']}/metrics"), teller)


async def _memory(scene: _Scene) -> Figure:
    """What each of many subscribers takes that have read all there is."""
    process = scene.api.process.process_id
    async with subscribers(scene.folder, scene.api.address, scene.numbers, 1, StreamEventsRequest()):
        before = resident(process)
        request = StreamEventsRequest(max_events_per_frame=_SEVERAL)
        async with subscribers(scene.folder, scene.api.address, scene.numbers, _IDLE, request):
            await asyncio.sleep(_REST_SECONDS)
            taken = resident(process) - before
    return Figure(f"memory of each of {_IDLE} idle subscribers", taken / 1024 / _IDLE, "KiB")


async def _fan_out(scene: _Scene, count: int, events: int) -> list[Figure]:
    """Rounds of both forms in turn; the first is for warming up."""
    rates: dict[int, list[float]] = {1: [], _SEVERAL: []}
    shares = []
    for _ in range(_ROUNDS + 1):
        for most, measured in rates.items():
            rate, share = await _burst(scene, count, events, most)
            measured.append(rate)
            shares.append(share)
    one, several = (measured[1:] for measured in rates.values())
    name = f"told to {count} subscriber{'s' * (count > 1)}, {_SEVERAL} in a frame"
    return [
        compared(f"{name}, ÷ one in a frame", "events/s", several, one),
        Figure(f"{name}: a processor's share that h2load took", max(shares), "", runs=shares),
    ]


async def _burst(scene: _Scene, count: int, events: int, most: int) -> tuple[float, float]:
    """Events told in a second to all together, from their commit on; and what of a processor h2load took."""
    request = StreamEventsRequest(after_cursor=await scene.teller.cursor(), max_events_per_frame=most)
    async with subscribers(scene.folder, scene.api.address, scene.numbers, count, request) as those:
        before = those.seconds
        stored = await scene.teller.tell(events)
        took = await those.have_read(stored.length * count) - stored.moment
        return events * count / took, (those.seconds - before) / took


async def _soon(scene: _Scene, others: int) -> list[Figure]:
    """How soon after its commit an event is told, milliseconds, at a steady rate."""
    request = StreamEventsRequest(max_events_per_frame=_SEVERAL, filter=EventFilter(kinds=["message.received"]))
    feed = scene.api.feeds.StreamEvents(request)
    await feed.read()
    told: dict[str, float] = {}

    async def read() -> None:
        while isinstance(frame := await feed.read(), StreamEventsResponse):
            now = time.perf_counter()
            told.update({event.chat_id: now for event in frame.events.events})

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read())
        beside = subscribers(scene.folder, scene.api.address, scene.numbers, others, request)
        async with beside if others else nullcontext():
            stored = await scene.teller.tell_steadily(_RATE, _SECONDS)
            await eventually(lambda: stored.keys() <= told.keys())
        reading.cancel()
    feed.cancel()
    took = [(told[event] - moment) * 1000 for event, moment in stored.items()]
    return percentiles(f"stored → told to each of {others + 1}, {_RATE}/s", took)
