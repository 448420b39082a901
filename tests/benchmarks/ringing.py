"""The queue by itself, between two processes: bells over Redis, and questions over Redis and over the database."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

from gateway.ports.queue import Queue
from tests.benchmarks.echoing import BELL, HEARD, NAME, a_queue
from tests.benchmarks.figures import Figure, percentiles
from tests.stage.children import child
from tests.stage.postgres import postgres_server
from tests.stage.programs import ROOT
from tests.stage.redis import redis_server

_BELLS: Final = 1000
_PAUSE_SECONDS: Final = 0.005
_ALONE: Final = {"Redis": 500, "the database": 40}
_CALLERS: Final = 64
_EACH: Final = {"Redis": 100, "the database": 10}
_PATIENCE: Final = 30.0
_QUESTION: Final = b"q" * 200


async def measure(folder: Path) -> list[Figure]:
    """Measure how soon a bell is heard in another process, and how fast another process answers."""
    figures: list[Figure] = []
    async with (
        redis_server(folder / "redis") as redis,
        postgres_server() as postgres,
        postgres.database() as database,
    ):
        async with a_queue(redis.url, database) as queue:
            moments: list[int] = []
            heard = await _beside(folder, redis.url, database, partial(_ring, queue, moments))
            waits = [(end - begin) / 1e6 for begin, end in zip(moments, heard, strict=True)]
            figures += percentiles("A bell heard in another process, over Redis", waits)
        for kind, url in (("Redis", redis.url), ("the database", "")):
            async with a_queue(url, database) as queue:
                await _beside(folder, url, database, partial(_ask, kind, queue, figures))
    return figures


async def _beside(folder: Path, redis_url: str, database: str, work: Callable[[], Awaitable[None]]) -> list[int]:
    """Do something while another process answers; when that heard its bell."""
    command = (sys.executable, "-m", "tests.benchmarks.echoing", redis_url, database)
    environment = {"PYTHONPATH": str(ROOT)}
    async with child(*command, log=folder / "echo.log", environment=environment) as other:
        assert await other.said() == b"ready\n"
        await work()
        other.hush()
        moments: list[int] = json.loads(await other.said())
        return moments


async def _ring(queue: Queue, moments: list[int]) -> None:
    with queue.listen(HEARD) as ears:
        for _ in range(_BELLS):
            moments.append(time.monotonic_ns())
            queue.ring(BELL)
            assert await ears.heard(_PATIENCE)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _ask(kind: str, queue: Queue, figures: list[Figure]) -> None:
    async def ask() -> float:
        began = time.perf_counter()
        await queue.ask(NAME, _QUESTION, timeout=_PATIENCE)
        return (time.perf_counter() - began) * 1000

    async def caller() -> None:
        for _ in range(_EACH[kind]):
            await ask()

    figures += percentiles(f"A question answered over {kind}, one caller", [await ask() for _ in range(_ALONE[kind])])
    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    rate = _CALLERS * _EACH[kind] / (time.perf_counter() - began)
    figures.append(Figure(f"Questions answered over {kind}, {_CALLERS} callers", rate, "1/s", runs=[rate]))
