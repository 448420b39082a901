"""Travelling: how long a message is under way, from a caller to a phone, and from a phone to a subscriber."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

from tests.benchmarks.contestant import Inbound
from tests.benchmarks.course import Course
from tests.benchmarks.figures import Figure, percentiles
from tests.stage.persons import Person, Received
from tests.stage.watching import Watch

SEATS: Final = 50
PERSONS: Final = 5
_RATES: Final = ((10, 20.0), (100, 15.0))
"""Messages a second over all sessions, and for how many seconds."""
_LOST_AFTER: Final = 60.0
_PATIENCE: Final = 600.0

Say = Callable[[int, str], Awaitable[object]]


async def measure(course: Course) -> list[Figure]:
    """Measure both ways at each rate, with every session in turn. Messages leave when their time has come, whether or
    not those before them have arrived.
    """
    persons = await course.persons(PERSONS)
    figures: list[Figure] = []
    async with AsyncExitStack() as stack:
        inboxes = [await stack.enter_async_context(person.inbox()) for person in persons]
        told = await stack.enter_async_context(course.contestant.watching())
        out = Journeys("out")
        back = Journeys("back")
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(_read_phone(inbox, out)) for inbox in inboxes]
            reading.append(group.create_task(_read_feed(told, back)))
            for name, journeys, say in (
                ("called → on the phone", out, _sending(course, persons)),
                ("said on the phone → told to a subscriber", back, _saying(course, persons)),
            ):
                await journeys.make(say, SEATS, every=0.05)
                for rate, seconds in _RATES:
                    took = await journeys.make(say, round(rate * seconds), every=1 / rate)
                    figures += percentiles(f"{name}, {rate}/s over {SEATS} sessions", took)
            for task in reading:
                task.cancel()
    return figures


class Journeys:
    """Messages under way, by their texts."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._rounds = 0
        self._begun: dict[str, float] = {}
        self._took: list[float] = []
        self._changed = asyncio.Event()

    async def make(self, say: Say, count: int, *, every: float) -> list[float]:
        """Say so many texts at a steady pace; how many milliseconds each took to arrive."""
        self._rounds += 1
        self._took = []
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                await asyncio.sleep(max(begun + number * every - time.perf_counter(), 0))
                text = f"{self._name} {self._rounds}.{number}"
                self._begun[text] = time.perf_counter()
                group.create_task(_say(say, number, text))
        async with asyncio.timeout(_LOST_AFTER):
            while self._begun:
                self._changed.clear()
                await self._changed.wait()
        return self._took

    def arrived(self, text: str) -> None:
        """A text has arrived; repeats do not count."""
        if (begun := self._begun.pop(text, None)) is not None:
            self._took.append((time.perf_counter() - begun) * 1000)
            self._changed.set()


async def _say(say: Say, number: int, text: str) -> None:
    await say(number, text)


def _sending(course: Course, persons: list[Person]) -> Say:
    async def say(number: int, text: str) -> None:
        place = number % len(course.seats)
        to = persons[place % len(persons)].phone_number
        await course.contestant.send(course.seats[place].session, to, text)

    return say


def _saying(course: Course, persons: list[Person]) -> Say:
    async def say(number: int, text: str) -> None:
        place = number % len(course.seats)
        await persons[place % len(persons)].say(course.seats[place].phone_number, text)

    return say


async def _read_phone(inbox: Watch[Received], journeys: Journeys) -> None:
    while True:
        journeys.arrived((await inbox.next(within=_PATIENCE)).text)


async def _read_feed(told: AsyncIterator[Inbound], journeys: Journeys) -> None:
    async for inbound in told:
        journeys.arrived(inbound.text)
