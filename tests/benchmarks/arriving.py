"""Arriving: how fast sessions take in what was said while they were away."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Final

from tests.benchmarks.course import Course, Seat
from tests.benchmarks.figures import Figure
from tests.benchmarks.travelling import PERSONS
from tests.stage.faults import say_many
from tests.stage.persons import Person

_ONE: Final = 5000
_EACH: Final = 100
_PATIENCE: Final = 300.0


async def measure(course: Course) -> list[Figure]:
    """Let people write while sessions rest; wake them, and wait for the last message to be told. Rates are taken from
    the first that is told.
    """
    persons = await course.persons(PERSONS)
    one = await _rate(course, persons[:1], course.seats[:1], _ONE)
    all_ = await _rate(course, persons, course.seats, _EACH)
    return [
        Figure(f"{_ONE} messages that waited, taken in by one session", one, "messages/s", runs=[one]),
        Figure(f"{_EACH} that waited for each of {len(course.seats)} sessions", all_, "messages/s", runs=[all_]),
    ]


async def _rate(course: Course, persons: Sequence[Person], seats: Sequence[Seat], each: int) -> float:
    sessions = [seat.session for seat in seats]
    await course.contestant.rest(*sessions)
    for place, seat in enumerate(seats):
        await say_many(course.lab, persons[place % len(persons)], seat.phone_number, each, text=seat.session)
    moments: list[float] = []
    told: dict[str, list[str]] = {session: [] for session in sessions}
    async with asyncio.timeout(_PATIENCE), course.contestant.watching() as inbound:
        await course.contestant.wake(*sessions)
        async for message in inbound:
            told[message.session].append(message.text)
            moments.append(time.perf_counter())
            if len(moments) == each * len(seats):
                break
    await course.connected(*sessions)
    for session, texts in told.items():
        if texts != [f"{session} {number}" for number in range(1, each + 1)]:
            sys.exit(f"{session} did not tell all that was said, in order")
    return (len(moments) - 1) / (moments[-1] - moments[0])
