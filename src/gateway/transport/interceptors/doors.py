"""Doors: who is inside, and that nobody enters while the server is being stopped."""

from __future__ import annotations

import asyncio

from gateway.domain.errors import ShuttingDown
from gateway.transport.exchange import Exchange, Step
from gateway.transport.rpcs import Rpc


class Doors:
    """Counts the calls of the contract that are under way, and refuses new ones once `stopping` is set."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        self._inside = 0
        self._emptied = asyncio.Event()

    def around(self, rpc: Rpc, proceed: Step) -> Step:
        async def step(exchange: Exchange) -> None:
            if self._stopping.is_set():
                raise ShuttingDown
            self._inside += 1
            try:
                await proceed(exchange)
            finally:
                self._inside -= 1
                if not self._inside:
                    self._emptied.set()

        return proceed if rpc.read is None else step

    async def empty(self) -> None:
        """Wait until nobody is inside."""
        while self._inside:
            self._emptied.clear()
            await self._emptied.wait()
