"""Draining: how many messages a second reach phones while callers keep the outbox full."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Final

from tests.benchmarks.course import Course
from tests.benchmarks.figures import Figure
from tests.benchmarks.travelling import PERSONS
from tests.stage.persons import Person, Received
from tests.stage.watching import Watch

_CALLERS: Final = 64
_MESSAGES: Final = 3000
_PATIENCE: Final = 600.0


async def measure(course: Course) -> list[Figure]:
    """Send from all sessions at once, and wait until each text is on its phone."""
    persons = await course.persons(PERSONS)
    async with AsyncExitStack() as stack:
        inboxes = [await stack.enter_async_context(person.inbox()) for person in persons]
        await _round(course, persons, inboxes, "hello", len(course.seats))
        accepted, arrived = await _round(course, persons, inboxes, "go", _MESSAGES)
    return [
        Figure(f"SendMessage, {_CALLERS} callers, while the outbox drains", accepted, "calls/s", runs=[accepted]),
        Figure(f"Messages on phones, {_CALLERS} callers, {len(course.seats)} sessions", arrived, "messages/s"),
    ]


async def _round(
    course: Course, persons: list[Person], inboxes: list[Watch[Received]], text: str, count: int
) -> tuple[float, float]:
    """The rates at which texts were accepted, and were on their phones."""
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for inbox in inboxes:
            group.create_task(_read(inbox, text, count // len(persons)))
        await _send(course, persons, count, text)
        accepted = time.perf_counter() - begun
    return count / accepted, count / (time.perf_counter() - begun)


async def _send(course: Course, persons: list[Person], count: int, text: str) -> None:
    waiting = iter(range(count))

    async def caller() -> None:
        for number in waiting:
            place = number % len(course.seats)
            to = persons[place % len(persons)].phone_number
            await course.contestant.send(course.seats[place].session, to, f"{text} {number}")

    async with asyncio.TaskGroup() as group:
        for _ in range(_CALLERS):
            group.create_task(caller())


async def _read(inbox: Watch[Received], text: str, count: int) -> None:
    """Wait for so many texts, each counted once."""
    seen: set[str] = set()
    while len(seen) < count:
        received = await inbox.next(within=_PATIENCE)
        if received.text.startswith(f"{text} "):
            seen.add(received.text)
