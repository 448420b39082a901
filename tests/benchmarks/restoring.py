"""Restoring: how long a start takes until all sessions are connected, and how much memory an idle session takes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Final

from tests.benchmarks.course import Course
from tests.benchmarks.figures import Figure
from tests.stage.processes import resident

_REST_SECONDS: Final = 30.0
"""Connected sessions come to rest within this: connections to their keys are kept for some seconds."""


async def memory(course: Course) -> dict[str, float]:
    """What the processes of a contestant take at rest, each kind together, KiB."""
    await asyncio.sleep(_REST_SECONDS)
    return {name: sum(map(resident, processes)) / 1024 for name, processes in course.contestant.processes().items()}


async def measure(course: Course, empty: Mapping[str, float]) -> list[Figure]:
    """Stop the contestant, start it, and look at it when it rests; `empty` is its memory without sessions."""
    count = len(course.seats)
    await course.contestant.stop()
    begun = time.perf_counter()
    await course.contestant.start()
    await course.connected()
    took = time.perf_counter() - begun
    figures = [Figure(f"{count} sessions connected after a start", took, "s", runs=[took])]
    for name, whole in (await memory(course)).items():
        figures.append(Figure(f"{name}, {count} idle sessions", whole / 1024, "MiB"))
        figures.append(Figure(f"{name}, for each of {count} idle sessions", (whole - empty[name]) / count, "KiB"))
    return figures
