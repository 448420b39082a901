"""Crossing: from a phone to a subscriber in a fleet: a worker takes the message in, an API process tells of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure, percentiles
from tests.benchmarks.house import free_port
from tests.benchmarks.sharing import shops_of
from tests.benchmarks.travelling import Journeys
from tests.stage.fleet import Fleet, running_fleet
from tests.stage.lab import lab_process
from tests.stage.postgres import postgres_server
from tests.stage.redis import redis_server
from wagate.v1.event_service_pb2 import EventFilter, StreamEventsRequest, StreamEventsResponse

_SESSIONS: Final = 50
_PERSONS: Final = 5
_RATES: Final = ((10, 20.0), (100, 15.0))
"""Messages a second over all sessions, and for how many seconds."""


async def measure(folder: Path) -> list[Figure]:
    """Measure on a PostgreSQL that syncs and a Redis, with every session in turn."""
    figures: list[Figure] = []
    environment = {"WAGATE_GRPC__LISTEN": f"127.0.0.1:{free_port()}", "WAGATE_LOG__LEVEL": "info"}
    async with (
        lab_process(folder / "lab") as lab,
        postgres_server(durable=True) as postgres,
        redis_server(folder / "redis") as redis,
        running_fleet(folder, lab, postgres, redis, apis=1, workers=1, environment=environment) as fleet,
    ):
        shops = await shops_of(fleet, _SESSIONS)
        persons = [await lab.person(f"Person {number}") for number in range(_PERSONS)]

        async def say(number: int, text: str) -> None:
            shop = shops[number % len(shops)]
            await persons[number % len(shops) % len(persons)].say(shop.phone_number, text)

        journeys = Journeys("across")
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_read(fleet, journeys))
            await journeys.make(say, _SESSIONS, every=0.05)
            for rate, seconds in _RATES:
                took = await journeys.make(say, round(rate * seconds), every=1 / rate)
                name = f"said on the phone → told to a subscriber of another process, {rate}/s"
                figures += percentiles(f"{name} over {_SESSIONS} sessions", took)
            reading.cancel()
    return figures


async def _read(fleet: Fleet, journeys: Journeys) -> None:
    request = StreamEventsRequest(filter=EventFilter(kinds=["message.received"]), max_events_per_frame=100)
    feed = fleet.apis[0].feeds.StreamEvents(request)
    while isinstance(frame := await feed.read(), StreamEventsResponse):
        for event in frame.events.events:
            journeys.arrived(event.message_received.message.content.text.text)
