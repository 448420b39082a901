"""The pulse of one process of several: that its loop turns, told to its parent again and again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

_BEAT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Alive:
    """What a process says again and again, from its start on."""


@asynccontextmanager
async def pulse(say: Connection, every: float = _BEAT_SECONDS) -> AsyncIterator[None]:
    """Tell the parent that this process is alive, while the context lasts, once in so many seconds. Waits for nobody: a
    parent that does not listen, or is gone, misses words that it does not need.
    """
    os.set_blocking(say.fileno(), False)
    beating = asyncio.create_task(_beat(say, every), name="pulse")
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait([beating])


async def _beat(say: Connection, every: float) -> None:
    while True:
        with suppress(BlockingIOError, BrokenPipeError):
            say.send(Alive())
        await asyncio.sleep(every)
