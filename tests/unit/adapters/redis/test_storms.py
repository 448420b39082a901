"""Whatever happens to Redis, nobody who listens waits longer than they want to, and bells ring again afterwards."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial

import pytest

from gateway.ports.queue import Ears
from tests.stage.redis import RedisServer
from tests.stage.waiting import eventually
from tests.unit.adapters.redis.processes import Process, process_on

BELLS = ("a", "b", "c", "d", "e")
POLL = 0.3
SLACK = 2.0
"""Seconds that a busy machine may take to come back to who waited."""
STEPS = 60


class Storm:
    """Processes, those who listen, and a Redis that is broken in all ways."""

    def __init__(self, server: RedisServer, processes: list[Process], chance: random.Random) -> None:
        self._server = server
        self._processes = processes
        self._chance = chance
        self.longest = 0.0
        self.ends = asyncio.Event()

    async def listen(self, ears: Ears) -> None:
        """Wait for bells as everybody does, until the storm ends."""
        loop = asyncio.get_running_loop()
        while not self.ends.is_set():
            began = loop.time()
            await ears.heard(POLL)
            self.longest = max(self.longest, loop.time() - began)

    async def rage(self) -> None:
        """Do something, some time, again and again."""
        deeds: list[Callable[[], Awaitable[None]]] = [self._ring, self._ring, self._ring, self._ask, self._break]
        for _ in range(STEPS):
            await self._chance.choice(deeds)()
            await asyncio.sleep(self._chance.random() * 0.05)
        self.ends.set()

    async def _ring(self) -> None:
        queue = self._chance.choice(self._processes).queue
        queue.ring(*self._chance.sample(BELLS, self._chance.randint(1, len(BELLS))))

    async def _ask(self) -> None:
        queue = self._chance.choice(self._processes).queue
        await asyncio.gather(queue.ask("nobody", b"?", timeout=0.1), return_exceptions=True)

    async def _break(self) -> None:
        match self._chance.choice(("flush", "restart", "freeze", "cut")):
            case "flush":
                await self._server.flush()
            case "restart":
                await self._server.kill()
                await asyncio.sleep(self._chance.random() * 0.2)
                await self._server.start()
            case "freeze":
                await self._server.freeze()
                await asyncio.sleep(self._chance.random() * 0.2)
                self._server.thaw()
            case "cut":
                async with self._server.client() as client:
                    await client.client_kill_filter(_type="normal", skipme=True)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=() if seed < 2 else pytest.mark.slow) for seed in range(20)])
async def test_nobody_waits_longer_than_they_want_to_whatever_happens(redis: RedisServer, seed: int) -> None:
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(process_on(redis)) for _ in range(3)]
        storm = Storm(redis, processes, random.Random(seed))
        ears = [(process, stack.enter_context(process.queue.listen("a", "b"))) for process in processes]
        async with asyncio.TaskGroup() as group:
            for _, one in ears:
                group.create_task(storm.listen(one))
            group.create_task(storm.rage())
        assert storm.longest < POLL + SLACK
        for process, one in ears:
            await eventually(partial(_rings, _another(processes, process), one))


def _another(processes: list[Process], process: Process) -> Process:
    return next(other for other in processes if other is not process)


async def _rings(ringing: Process, ears: Ears) -> bool:
    ringing.queue.ring("a")
    return await ears.heard(POLL)
