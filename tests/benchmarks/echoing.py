"""The other process of what `ringing` measures: answers questions with themselves, and notes when it hears a bell."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import uvloop

from gateway.adapters.sql.store import open_store
from gateway.bootstrap.queues import open_queue
from gateway.observability.logs import start_logging
from gateway.ports.queue import Queue
from gateway.settings import load

NAME: Final = "echo"
BELL: Final = "bell"
HEARD: Final = "heard"


@asynccontextmanager
async def a_queue(redis_url: str, database_url: str) -> AsyncIterator[Queue]:
    """The queue of one process of many; without a URL of a Redis, over the database alone."""
    settings = load(flags={"queue": {"url": redis_url}, "log": {"level": "warning"}})
    start_logging(settings.log)
    async with (
        open_store(database_url) as store,
        open_queue(settings, store, alone=False, changed=lambda _up: None) as queue,
    ):
        yield queue


async def _echo(redis_url: str, database_url: str) -> list[int]:
    """Answer until stdin is closed; when the bell was heard, in nanoseconds of the machine's own clock."""
    moments: list[int] = []

    async def hear(queue: Queue) -> None:
        with queue.listen(BELL) as ears:
            while True:
                if await ears.heard(60):
                    moments.append(time.monotonic_ns())
                    queue.ring(HEARD)

    async def answer(question: bytes) -> bytes:
        return question

    async with a_queue(redis_url, database_url) as queue, queue.serve(NAME, answer):
        hearing = asyncio.create_task(hear(queue))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        hearing.cancel()
        with suppress(asyncio.CancelledError):
            await hearing
    return moments


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(_echo(*sys.argv[1:]))) + "\n")
