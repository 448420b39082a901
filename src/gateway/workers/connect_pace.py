"""The pace at which a worker opens lines, and makes lost ones again: its part of what the whole fleet may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class ConnectPace:
    """Lets one after the other have its turn. Unless `share` was called, nobody waits. Who makes lost lines again is
    `told` how many that may be in a second.
    """

    def __init__(self, told: Callable[[float], None] = lambda _: None) -> None:
        self._told = told
        self._gap = 0.0
        self._next = 0.0

    def share(self, rate: float, workers: int) -> None:
        """The fleet opens `rate` lines in a second, and makes as many again; so many workers share that alike."""
        self._gap = max(workers, 1) / rate
        self._told(1 / self._gap)

    def seconds_for(self, lines: int) -> float:
        """How long it takes until so many have had their turn."""
        return lines * self._gap

    async def turn(self) -> None:
        """Wait for one's turn."""
        now = asyncio.get_running_loop().time()
        mine = max(self._next, now)
        self._next = mine + self._gap
        if mine > now:
            await asyncio.sleep(mine - now)
